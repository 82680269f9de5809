internal import EngineInterface
internal import JSON
internal import SystemIO

/// The facts of a build, kept as `image.json` beside the disk for images that are based on it.
enum BuiltImageFile {
  private static let name = "image.json"

  static func write(_ image: BuiltImage, to directory: String) throws {
    let json: JSONValue = [
      "disk": .string(image.disk), "format": .string(image.format),
      "virtualSize": .integer(image.virtualSize), "kernel": JSONValue(image.kernel),
      "initialRAMDisk": JSONValue(image.initialRAMDisk),
      "kernelArguments": JSONValue(image.kernelArguments),
      "firmware": .array(image.firmware.map { .string($0) }), "report": image.report,
    ]
    let text = json.text(pretty: true) + "\n"
    try replaceFile("\(directory)/\(name)", with: Array(text.utf8), permissions: 0o644)
  }

  static func read(from directory: String) throws -> BuiltImage {
    let path = "\(directory)/\(name)"
    let json = try JSONValue(parsing: try readFile(path))
    guard let disk = json["disk"]?.string, let format = json["format"]?.string,
      let virtualSize = json["virtualSize"]?.integer,
      ![disk, json["kernel"]?.string ?? "", json["initialRAMDisk"]?.string ?? ""]
        .contains(where: { $0.contains("/") })
    else {
      throw ConversionError(
        "\(path) does not describe an image", help: "build the base image again")
    }
    return BuiltImage(
      disk: disk, format: format, virtualSize: virtualSize, kernel: json["kernel"]?.string,
      initialRAMDisk: json["initialRAMDisk"]?.string,
      kernelArguments: json["kernelArguments"]?.string,
      firmware: (json["firmware"]?.array ?? []).compactMap(\.string),
      report: json["report"] ?? .null)
  }
}
