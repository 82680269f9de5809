internal import Diagnostics
internal import DiskImage
internal import JSON
internal import Manifests

/// A machine from outside, on its way into a manifest.
struct ImportedMachine {
  /// A disk image that becomes a volume.
  struct Disk: Hashable {
    /// The disk's name in the machine.
    var name: String
    /// The image.
    var path: String
    /// Its format, which somebody stated.
    var format: DiskFormat
    /// The size a guest sees, in bytes; 0 until the image was looked at.
    var size = 0
    /// How fast it may be, as a manifest writes it.
    var limits: JSONValue = [:]
    /// Where a document names it.
    var span: SourceSpan?
  }

  /// The machine's name.
  var name: String
  /// The fields of its specification as a manifest writes them, but for the disks.
  var spec: JSONValue
  /// The disks, the one booted from first.
  var disks: [Disk]
  /// The storage pool of the volumes; nil for the default one.
  var pool: String?

  /// A volume's name.
  func volume(_ disk: Disk) -> String { Self.name("\(name)-\(disk.name)") }

  /// The manifest's documents.
  var documents: [JSONValue] {
    var spec = spec
    spec["disks"] = .array(
      disks.map { disk in
        var value: JSONValue = ["name": .string(disk.name), "volume": .string(volume(disk))]
        if disk.limits.object?.isEmpty == false { value["limits"] = disk.limits }
        return value
      })
    let volumes = disks.map { disk in
      var volume: JSONValue = [
        "size": .string("\(disk.size)"), "format": .string(disk.format.rawValue),
      ]
      volume["pool"] = pool.map(JSONValue.string)
      return document("Volume", self.volume(disk), volume)
    }
    return volumes + [document("VirtualMachine", name, spec)]
  }

  private func document(_ kind: String, _ name: String, _ spec: JSONValue) -> JSONValue {
    [
      "apiVersion": .string(ManifestLoader.apiVersion), "kind": .string(kind),
      "metadata": ["name": .string(name)], "spec": spec,
    ]
  }

  /// The nearest text that is a name: letters become small, what else is not allowed a hyphen.
  static func name(_ text: String) -> String {
    let mapped = text.lowercased().map { character in
      character.isASCII && (character.isLetter || character.isNumber) ? character : "-"
    }
    let start = mapped.drop { $0 == "-" }.prefix(63)
    return String(start.reversed().drop { $0 == "-" }.reversed())
  }
}
