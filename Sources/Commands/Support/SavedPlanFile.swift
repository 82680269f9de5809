internal import Crypto
internal import Diagnostics
internal import JSON
internal import Manifests
internal import Planning
internal import SystemIO

/// A plan in a file: JSON with a checksum over everything else in it.
enum SavedPlanFile {
  private static let sizeLimit = 1 << 30

  /// Writes a plan durably, readable by its owner alone.
  ///
  /// - Throws: `Failure` where something else stands there, `SystemError`.
  static func write(_ saved: SavedPlan, to path: String) throws {
    if fileExists(path), !isPlan(path) {
      throw Failure(
        "\(path) is there and is no saved plan", help: "name another file, or remove this one")
    }
    var value = saved.jsonValue
    value["checksum"] = .string(checksum(value))
    try replaceFile(path, with: Array((value.text(pretty: true) + "\n").utf8))
  }

  /// Reads a plan.
  ///
  /// - Throws: `Failure` where it is damaged, none, or of a newer ingot; `SystemError`.
  static func read(_ path: String) throws -> SavedPlan {
    let bytes = try readFile(path, limit: sizeLimit)
    var value: JSONValue
    do {
      value = try JSONValue(parsing: bytes)
    } catch {
      throw Failure(
        "\(path) is no saved plan, or a damaged one: \(error)",
        help: "make it anew with 'ingot plan -o \(path)'; manifests are applied with -f")
    }
    guard let version = value["format_version"]?.string, value["saved"] != nil else {
      throw Failure(
        "\(path) is no saved plan", help: "'ingot plan -o FILE' saves one; -o json only prints it")
    }
    guard Plan.canRead(version) else {
      throw Failure(
        "\(path) has the format \(version), and this ingot reads \(Plan.formatVersion)",
        help: "use the ingot that made it, or make it anew")
    }
    let stated = value["checksum"]?.string
    value["checksum"] = nil
    guard stated == checksum(value) else {
      throw Failure("\(path) is damaged: its checksum is wrong", help: "make it anew")
    }
    do {
      let saved = try SavedPlan(value)
      try saved.plan.validate()
      return saved
    } catch {
      throw Failure("\(path) is damaged: \(error)", help: "make it anew")
    }
  }

  /// The digests of manifests.
  static func digests(of sources: [ManifestSource]) -> [SavedPlan.Manifest] {
    sources.map { SavedPlan.Manifest(file: $0.file, digest: digest($0.bytes)) }
  }

  /// The manifests that are not as they were when a plan was made; standard input can't be told.
  static func changed(_ saved: SavedPlan) -> [String] {
    saved.manifests.filter { manifest in
      guard manifest.file != "<stdin>" else { return false }
      // One that can't be read any more is not as it was.
      guard let bytes = try? readFile(manifest.file, limit: ManifestFiles.sizeLimit) else {
        return true
      }
      return digest(bytes) != manifest.digest
    }.map(\.file)
  }

  private static func isPlan(_ path: String) -> Bool {
    // What can't be read or parsed is somebody else's.
    guard let bytes = try? readFile(path, limit: sizeLimit),
      let value = try? JSONValue(parsing: bytes)
    else { return false }
    return value["format_version"] != nil && value["saved"] != nil
  }

  private static func checksum(_ value: JSONValue) -> String { digest(Array(value.text().utf8)) }

  private static func digest(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    let hash = SHA256.hash(data: bytes)
    return String(
      decoding: hash.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
