/// Why a text is no quantity.
public struct QuantityError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong, with the text.
  public let description: String
  /// How to write it; nil where the description says enough.
  public let help: String?
}

/// Quantities as Kubernetes writes them: `2Gi`, `500m`, and durations such as `1h30m`.
///
/// Every value is exact: what can't be held in whole base units is refused, not rounded.
public enum Quantity {
  /// Parses an amount of bytes: a number, exact decimals allowed, with `Ki Mi Gi Ti Pi Ei` (powers
  /// of 1024) or `k M G T P E` (powers of 1000) or nothing.
  public static func bytes(_ text: String) throws(QuantityError) -> Int64 {
    let (number, suffix) = split(text)
    guard let unit = byteUnits.first(where: { $0.name == suffix }) else {
      throw QuantityError(
        description: "'\(text)' is no quantity of bytes", help: byteHelp(number, suffix))
    }
    return try scaled(number, by: unit.size, text, "a quantity of bytes", "one byte")
  }

  /// Parses an amount of CPU into thousandths of a processor: `500m`, `2`, `0.5`.
  public static func millicores(_ text: String) throws(QuantityError) -> Int64 {
    let (number, suffix) = split(text)
    guard suffix.isEmpty || suffix == "m" else {
      throw QuantityError(
        description: "'\(text)' is no quantity of CPU",
        help: "write processors such as '2' or thousandths such as '500m'")
    }
    return try scaled(
      number, by: suffix.isEmpty ? 1000 : 1, text, "a quantity of CPU", "1m, a thousandth")
  }

  /// Parses a duration into seconds: whole numbers with `d`, `h`, `m` and `s`, largest first.
  public static func seconds(_ text: String) throws(QuantityError) -> Int64 {
    let wrong = QuantityError(
      description: "'\(text)' is no duration",
      help: "write a number with a unit, such as '90s', '3m' or '1h30m'")
    var rest = Substring(text)
    var units = durationUnits[...]
    var total: Int64 = 0
    guard !rest.isEmpty else { throw wrong }
    while !rest.isEmpty {
      let digits = rest[..<rest.utf8.prefix { (0x30...0x39).contains($0) }.endIndex]
      rest = rest[digits.endIndex...]
      guard let value = Int64(digits), let name = rest.popFirst(),
        let index = units.firstIndex(where: { $0.name == name })
      else { throw wrong }
      let (part, overflow) = value.multipliedReportingOverflow(by: units[index].size)
      let (sum, carry) = total.addingReportingOverflow(part)
      if overflow || carry { throw tooLarge(text) }
      total = sum
      units = units[(index + 1)...]
    }
    return total
  }

  /// The shortest exact text for an amount of bytes: `2Gi`, `10G`, `1000k`, `513`.
  public static func text(bytes: Int64) -> String {
    var best = String(bytes)
    for unit in byteUnits where bytes != 0 && bytes % unit.size == 0 {
      let text = String(bytes / unit.size) + unit.name
      if text.utf8.count < best.utf8.count { best = text }
    }
    return best
  }

  /// The text for an amount of CPU in thousandths of a processor: `2`, `500m`.
  public static func text(millicores: Int64) -> String {
    millicores % 1000 == 0 ? String(millicores / 1000) : "\(millicores)m"
  }

  /// The text for a duration in seconds: `90s` is `1m30s`.
  public static func text(seconds: Int64) -> String {
    if seconds <= 0 { return "\(seconds)s" }
    var rest = seconds
    var text = ""
    for unit in durationUnits where rest >= unit.size {
      text += String(rest / unit.size) + String(unit.name)
      rest %= unit.size
    }
    return text
  }

  // Binary units first, so that they win where both are as short.
  private static let byteUnits: [(name: String, size: Int64)] = [
    ("Ei", 1 << 60), ("Pi", 1 << 50), ("Ti", 1 << 40), ("Gi", 1 << 30), ("Mi", 1 << 20),
    ("Ki", 1 << 10), ("E", 1_000_000_000_000_000_000), ("P", 1_000_000_000_000_000),
    ("T", 1_000_000_000_000), ("G", 1_000_000_000), ("M", 1_000_000), ("k", 1000), ("", 1),
  ]

  private static let durationUnits: [(name: Character, size: Int64)] = [
    ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1),
  ]

  private static func split(_ text: String) -> (number: Substring, suffix: Substring) {
    let number = text.utf8.prefix { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
    return (text[..<number.endIndex], text[number.endIndex...])
  }

  private static func byteHelp(_ number: Substring, _ suffix: Substring) -> String {
    let general = "write a number with Ki, Mi, Gi, Ti (1024) or k, M, G, T (1000), such as '2Gi'"
    guard !number.isEmpty, let letter = suffix.first?.uppercased(), "KMGTPE".contains(letter)
    else { return general }
    return "write '\(number)\(letter)i' (powers of 1024)"
      + " or '\(number)\(letter == "K" ? "k" : letter)' (powers of 1000)"
  }

  private static func tooLarge(_ text: String) -> QuantityError {
    QuantityError(description: "'\(text)' is too large", help: nil)
  }

  private static func scaled(
    _ number: Substring, by unit: Int64, _ text: String, _ what: String, _ smallest: String
  ) throws(QuantityError) -> Int64 {
    // Most are whole and small.
    if number.utf8.count <= 18, let digits = Int64(number) {
      let (value, isTooLarge) = digits.multipliedReportingOverflow(by: unit)
      if isTooLarge { throw tooLarge(text) }
      return value
    }
    let parts = number.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else {
      throw QuantityError(description: "'\(text)' is no \(what.dropFirst(2))", help: nil)
    }
    // 18 digits times 2^60 stay within 128 bits.
    guard number.utf8.count <= 19, let digits = Int128(parts.joined()) else { throw tooLarge(text) }
    var divisor: Int128 = 1
    if parts.count == 2 { for _ in parts[1] { divisor *= 10 } }
    let (quotient, remainder) = (digits * Int128(unit)).quotientAndRemainder(dividingBy: divisor)
    guard remainder == 0 else {
      throw QuantityError(
        description: "'\(text)' is finer than \(smallest)", help: "write a whole number of units")
    }
    guard let value = Int64(exactly: quotient) else { throw tooLarge(text) }
    return value
  }
}
