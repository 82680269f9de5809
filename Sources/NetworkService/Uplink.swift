public import Networking
internal import SystemIO

extension NetworkConfiguration.Uplink {
  /// The interface in the network's namespace that leads out; nil where none does.
  public var interface: String? {
    switch self {
    case .none: nil
    case .userMode: "tap0"
    case .veth: "up0"
    }
  }

  /// The IPv6 address of an end of a pair of interfaces, which follows from its IPv4 address.
  static func address6(for address: String) -> String {
    let prefix: [UInt8] = [0xfd, 0x69, 0x6e, 0x67, 0x6f, 0x74] + [UInt8](repeating: 0, count: 6)
    let address = InternetAddress(address)?.bytes ?? []
    return InternetAddress(bytes: prefix + address)?.description ?? ""
  }
}
