internal import ArgumentParser
internal import DiskImage
internal import JSON
internal import SystemIO

struct ImageInfoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "Say what a disk image's header says, and whether the image can be taken over.")

  @Argument(help: "The image.", completion: .file())
  var file: String
  @Option(
    help:
      "Its format, which is never guessed: \(ConversionInput.readFormats.joined(separator: ", ")).",
    completion: .list(ConversionInput.readFormats), transform: ConversionInput.format)
  var format: DiskFormat
  @Option(name: .shortAndLong, help: "How it is printed.")
  var output: ReportFormat = .table

  func run() async throws {
    let (file, format) = (file, format)
    let facts = try await blocking {
      let found = try inspect(Descriptor.open(file, [.read, .nonBlocking]), format: format)
      return ImageFacts(found, refusal: Self.refusal(file, format))
    }
    switch output {
    case .json: TextStream.output.line(facts.json.text(pretty: true))
    case .table:
      for (name, value) in facts.lines {
        TextStream.output.line("\(padded(name, to: 14))\(sanitized(value))")
      }
    }
  }

  /// Why the image can't be taken over; nil where it can.
  private static func refusal(_ file: String, _ format: DiskFormat) -> String? {
    do {
      _ = try DiskReader(path: file, format: format)
      return nil
    } catch {
      return "\(error)"
    }
  }
}

/// What is printed of an image.
struct ImageFacts: Sendable {
  private let found: DiskInspection
  private let refusal: String?

  init(_ found: DiskInspection, refusal: String?) {
    self.found = found
    self.refusal = refusal
  }

  var lines: [(String, String)] {
    var lines = [("format", found.format.rawValue)]
    if let variant = found.variant { lines.append(("kind", variant)) }
    if found.version > 0 { lines.append(("version", "\(found.version)")) }
    lines.append(("disk", size(found.virtualSize)))
    lines.append(("file", size(found.fileSize)))
    if let unit = found.unit { lines.append(("unit", size(unit))) }
    if let name = backingFile { lines.append(("backing file", name)) }
    if found.snapshots > 0 { lines.append(("snapshots", "\(found.snapshots)")) }
    lines.append(("usable", refusal.map { "no: \($0)" } ?? "yes"))
    return lines
  }

  var json: JSONValue {
    [
      "format_version": "1.0", "format": .string(found.format.rawValue),
      "kind": JSONValue(found.variant), "version": .integer(Int64(found.version)),
      "virtualSize": .integer(Int64(found.virtualSize)),
      "fileSize": .integer(Int64(found.fileSize)),
      "unit": found.unit.map { .integer(Int64($0)) } ?? .null,
      "backingFile": JSONValue(backingFile), "snapshots": .integer(Int64(found.snapshots)),
      "encrypted": .bool(found.isEncrypted), "dirty": .bool(found.isDirty),
      "corrupt": .bool(found.isCorrupt), "externalData": .bool(found.hasExternalDataFile),
      "refusal": JSONValue(refusal),
    ]
  }

  private var backingFile: String? {
    found.backingFile.map { String(decoding: $0, as: UTF8.self) }
  }

  private func size(_ bytes: Int) -> String { "\(sizeText(Int64(bytes))) (\(bytes) bytes)" }
}
