import Foundation
import NetworkService
import Networking
import SystemIO
import TestSupport
import Testing

/// Namespaces with a bridge and guests, in which real packets are sent; see Tests/NetworkRig.
struct Rig {
  /// Who the namespaces belong to.
  enum User: String, CaseIterable, Sendable {
    case root
    /// An ordinary user, root in a user namespace of its own.
    case ordinary

    /// Those that whoever runs the tests can be.
    static let available: [User] = effectiveUserID() == 0 ? allCases : [.ordinary]
    /// Root, where it is to be had.
    static let strongest = available[0]
  }

  let user: User
  let scratch: Scratch
  private(set) var script = ""

  init(_ user: User) throws {
    self.user = user
    scratch = try Scratch()
    #expect(chmod(scratch.path, 0o755) == 0)
    // The tree may be closed to others.
    let rig = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("NetworkRig/rig.py")
    try add("rig.py", String(contentsOf: rig, encoding: .utf8))
  }

  /// Writes a file that the rig's user can read and answers its path.
  @discardableResult
  func add(_ name: String, _ text: String) throws -> String {
    try scratch.write(name, text)
    #expect(chmod(scratch.file(name), 0o644) == 0)
    return scratch.file(name)
  }

  /// Adds commands of the rig, one a line.
  mutating func add(_ text: String) { script += text + "\n" }

  /// Makes the bridge as the supervisor does: with its addresses and settings.
  mutating func bridge(_ network: NetworkConfiguration, rules: PacketRules) throws {
    add("run ip link set lo up")
    add(
      "run ip link add br0 address \(network.bridgeMAC) mtu \(network.mtu) type bridge")
    add("run ip link set br0 up")
    if let segment = network.segment {
      add("run ip address add \(segment.gateway)/24 dev br0")
    }
    if let segment = network.segment6 {
      add("run ip address add \(segment.gateway)/64 dev br0 nodad")
    }
    for (file, value) in rules.settings {
      add("run sysctl -qw \(file.split(separator: "/").joined(separator: "."))=\(value)")
    }
    add("load \(try add("rules.nft", rules.text))")
  }

  /// A namespace that stands for the machine at a port.
  mutating func guest(_ name: String, _ port: NetworkConfiguration.Port, via: [String] = []) {
    let addresses =
      [port.address.map { $0 + "/24" }, port.address6.map { $0 + "/64" }].compactMap { $0 }
      + via.map { "via=\($0)" }
    add("guest \(name) \(port.tap) \(port.mac) br0 \(addresses.joined(separator: " "))")
  }

  /// Runs what was added; what comes out otherwise than it says is an issue each.
  func run(sourceLocation: SourceLocation = #_sourceLocation) throws {
    let path = try add("script", script)
    let inner = ["unshare", user == .root ? "-n" : "-rn", "python3", scratch.file("rig.py"), path]
    let outer =
      user == .root || effectiveUserID() != 0
      ? [] : ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    let command = outer + inner
    let result = try Tool.run(command[0], Array(command[1...]), in: "/")
    #expect(result.status == 0, "\(result.output)", sourceLocation: sourceLocation)
  }
}
