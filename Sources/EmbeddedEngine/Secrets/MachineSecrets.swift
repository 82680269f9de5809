internal import Crypto
internal import EngineInterface
internal import JSON
internal import Resources

/// The values of a machine's secrets for one act; they live in memory alone.
struct MachineSecrets: Sendable {
  private let values: [String: String]
  /// What the state keeps of them: HMAC-SHA256 over names and values under the engine's own salt.
  let digest: String

  init(_ secrets: [(name: String, value: String)], salt: [UInt8], machine: String) {
    values = Dictionary(secrets.map { ($0.name, $0.value) }) { first, _ in first }
    var code = HMAC<SHA256>(key: SymmetricKey(data: salt))
    // The length before each part, so that no two lists give the same bytes.
    for part in [machine] + secrets.flatMap({ [$0.name, $0.value] }) {
      code.update(data: withUnsafeBytes(of: UInt64(part.utf8.count).littleEndian, Array.init))
      code.update(data: Array(part.utf8))
    }
    digest = hexadecimal(code.finalize())
  }

  /// A value of cloud-init's with the secrets put into its texts; what names no secret stays.
  static func resolved(_ value: JSONValue, by secrets: MachineSecrets?) -> JSONValue {
    switch value {
    case .string(let text): .string(resolved(text, by: secrets?.values ?? [:]))
    case .array(let items): .array(items.map { resolved($0, by: secrets) })
    case .object(let object):
      .object(
        JSONObject(
          members: object.members.map {
            JSONObject.Member(name: $0.name, value: resolved($0.value, by: secrets))
          }))
    default: value
    }
  }

  private static func resolved(_ text: String, by values: [String: String]) -> String {
    let pieces = ReferenceText.pieces(of: text)
    return pieces.enumerated().map { index, piece in
      switch piece {
      case .text(let text), .malformed(let text): return text
      case .variable(let name): return "${var.\(name)}"
      case .secret(let name): return values[name] ?? "${secret.\(name)}"
      case .escape:
        // In a stored text only a secret's reference is still escaped.
        if index + 1 < pieces.count, case .text(let next) = pieces[index + 1],
          next.hasPrefix("secret.")
        {
          return "${"
        }
        return "$${"
      }
    }.joined()
  }
}

/// Bytes as lower-case digits.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  let digits = Array("0123456789abcdef".utf8)
  return String(
    decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
