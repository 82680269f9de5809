import Glibc
import JSON
import Monitor
import Networking
import QEMU
import SystemIO
import TestSupport

/// A real network for a test; gone with this object.
final class TestNetwork {
  static let host = HostContext.live()
  /// Whether this user may make taps.
  static let isPossible = access("/dev/net/tun", R_OK | W_OK) == 0

  let directory: NetworkDirectory
  let gateway = "10.88.0.1"
  private let scratch: Scratch
  private var configuration: NetworkConfiguration

  init() throws {
    scratch = try Scratch()
    directory = NetworkDirectory(scratch.file("network"))
    try makeDirectories(directory.path, permissions: 0o700)
    configuration = NetworkConfiguration(
      name: "lab", mode: .isolated,
      segment: NetworkConfiguration.Segment(network: "10.88.0.0/24", gateway: gateway),
      ports: [2, 3].map { number in
        NetworkConfiguration.Port(
          id: "vm/\(number)", mac: Self.mac(number), address: "10.88.0.\(number)",
          hostName: "vm\(number)")
      })
    try configuration.write(directory)
  }

  deinit {
    // Whatever a test has left, a network without a supervisor too.
    _ = try? client().stop()
  }

  private static func mac(_ number: Int) -> String { "52:54:00:88:00:0\(number)" }

  /// A card in port `vm/NUMBER`.
  func card(_ number: Int, isConnected: Bool = true) -> MachineSpec.Interface {
    MachineSpec.Interface(
      id: "net-\(number)", mac: Self.mac(number),
      backend: .tap(network: directory.path, port: "vm/\(number)", mtu: configuration.mtu),
      isConnected: isConnected)
  }

  /// Makes a machine that finds the network.
  func machine(
    _ program: [UInt8]? = BootSector.halt, cards: [Int], strategy: RunStrategy = .manual
  ) throws -> Machine {
    let machine = try Machine(program, strategy: strategy)
    machine.configuration.machine.interfaces = cards.map { card($0) }
    machine.configuration.machine.spareSlots = 1
    machine.configuration.networkExecutable = try BuiltProducts.path(of: "ingot-network")
    return machine
  }

  func client() throws -> NetworkClient {
    try connectNetwork(
      directory, executable: BuiltProducts.path(of: "ingot-network"), host: Self.host)
  }

  func port(_ number: Int) throws -> NetworkStatus.Port? {
    try client().status().ports.first { $0.id == "vm/\(number)" }
  }

  /// The supervisor's process; nil where none runs.
  func supervisor() throws -> ProcessHandle? {
    for name in try namesInDirectory("/proc") {
      // Processes come and go while the list is read.
      guard let pid = Int32(name),
        let line = try? readFile("/proc/\(pid)/cmdline", limit: 1 << 20),
        String(decoding: line, as: UTF8.self).contains("\0serve\0\(directory.path)\0"),
        let handle = try? ProcessIdentity(running: pid, bootID: Self.host.bootID).open(
          currentBootID: Self.host.bootID)
      else { continue }
      return handle
    }
    return nil
  }

  /// Kills the supervisor, and with it all that keeps the namespace where that is asked for.
  func kill(withNamespace: Bool = false) throws {
    let processes = try client().status().processes
    try supervisor()?.signal(SIGKILL)
    guard withNamespace else { return }
    for process in processes {
      guard let pid = process.pid else { continue }
      try ProcessIdentity(running: pid, bootID: Self.host.bootID).open(
        currentBootID: Self.host.bootID)?.signal(SIGKILL)
    }
  }
}
