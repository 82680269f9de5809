/// What a manifest can describe.
public enum Kind: String, CaseIterable, Sendable, Comparable {
  /// Where volumes and images live.
  case storagePool = "StoragePool"
  /// A share of the host's CPU and memory.
  case resourcePool = "ResourcePool"
  /// A layer-2 segment.
  case network = "Network"
  /// Rules that say who may reach an interface, and whom it may reach.
  case securityGroup = "SecurityGroup"
  /// A golden image.
  case image = "Image"
  /// A disk with a life of its own.
  case volume = "Volume"
  /// A virtual machine.
  case virtualMachine = "VirtualMachine"

  /// The word for command lines: `vm` in `ingot get vm`.
  public var shortName: String {
    switch self {
    case .storagePool: "pool"
    case .resourcePool: "rp"
    case .network: "net"
    case .securityGroup: "sg"
    case .image: "image"
    case .volume: "vol"
    case .virtualMachine: "vm"
    }
  }

  /// The kind a word on a command line names: the kind, its plural or its short name, in any case.
  public init?(word: String) {
    let word = word.lowercased()
    guard
      let kind = Kind.allCases.first(where: {
        let name = $0.rawValue.lowercased()
        return [name, name + "s", $0.shortName, $0.shortName + "s"].contains(word)
      })
    else { return nil }
    self = kind
  }

  /// What is referred to comes before what refers to it.
  public static func < (a: Kind, b: Kind) -> Bool { a.rank < b.rank }

  private var rank: Int {
    switch self {
    case .storagePool: 0
    case .resourcePool: 1
    case .network: 2
    case .securityGroup: 3
    case .image: 4
    case .volume: 5
    case .virtualMachine: 6
    }
  }
}

/// A resource's address: its kind and its name, which is unique within the kind.
public struct ResourceID: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The kind.
  public var kind: Kind
  /// The name: 1 to 63 of `a-z`, `0-9` and `-`, beginning and ending with a letter or digit.
  public var name: String

  /// Makes an address.
  public init(_ kind: Kind, _ name: String) {
    self.kind = kind
    self.name = name
  }

  /// By kind in the order of creation, then by name.
  public static func < (a: ResourceID, b: ResourceID) -> Bool {
    a.kind == b.kind ? a.name < b.name : a.kind < b.kind
  }

  /// `VirtualMachine/web1`.
  public var description: String { "\(kind.rawValue)/\(name)" }
}
