internal import JSON

extension Schema {
  /// The field table of a kind; `lifecycle`, which every kind has, stands last.
  public static func table(for kind: Kind) -> Schema {
    switch kind {
    case .storagePool: storagePool
    case .resourcePool: resourcePool
    case .network: network
    case .securityGroup: securityGroup
    case .image: image
    case .volume: volume
    case .virtualMachine: virtualMachine
    }
  }

  /// The fields of `metadata`, the same for every kind.
  public static let metadata: [Field] = [
    Field("name", .text(.name), required: true, "The name, unique within the kind."),
    Field("labels", .map, "Texts by name, to select by."),
    Field("annotations", .map, "Texts by name, kept and otherwise unused."),
  ]

  /// The field that every kind's `spec` has.
  static let lifecycle = Field(
    "lifecycle",
    .object([
      Field(
        "deletionProtection", .bool, default: false,
        "Refuse to delete or replace it, also when its manifest is gone."),
      Field(
        "deletionPolicy", .choice(["Delete", "Retain"]), default: "Delete",
        "Retain keeps it in the engine when it leaves its manifests or they are destroyed."),
    ]), default: [:], "What protects it.")

  /// The limits of a disk's size: 1 MiB to 64 TiB.
  static let diskSizes: ClosedRange<Int64> = 1 << 20...64 << 40
  /// The limits of a disk's speed in bytes a second: 4 KiB to 1 TiB.
  static let diskRates: ClosedRange<Int64> = 4 << 10...1 << 40
  /// The limits of an interface's speed in bytes a second: 1 KiB to 1 TiB.
  static let interfaceRates: ClosedRange<Int64> = 1 << 10...1 << 40
  /// The limits of a packet's size: what IPv4 asks of every host to what slirp4netns carries.
  static let packetSizes: ClosedRange<Int64> = 576...65_520
  /// The limits of a memory's size: 16 MiB to 16 TiB.
  static let memorySizes: ClosedRange<Int64> = 16 << 20...16 << 40
  /// The limits of a guarantee or a ceiling of CPU: none to 4096 processors.
  static let cpuAmounts: ClosedRange<Int64> = 0...4_096_000
  /// The limits of a guarantee or a ceiling of memory.
  static let memoryAmounts: ClosedRange<Int64> = 0...1 << 50
  /// The port numbers.
  static let ports: ClosedRange<Int64> = 1...65_535
}
