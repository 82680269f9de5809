internal import EngineInterface
internal import Glibc
internal import Networking
internal import Supervision
internal import SystemIO

// The end of networks. All of this blocks.
extension EmbeddedEngine {
  /// Ends all processes of a network; its directory stays.
  func stopNetwork(_ uid: String) throws {
    let directory = NetworkDirectory(home.network(uid))
    guard fileExists(directory.path) else { return }
    // A supervisor that dies over it leaves records, by which another ends what they tell of.
    for _ in 0..<3 {
      guard let client = try supervisorToStop(directory) else { return }
      // Nobody starts another one meanwhile, as a monitor would whose guest is on it.
      try removeFile(directory.configuration)
      do {
        try client.stop()
      } catch let error as RPCError where error.isGone {
        // It ends, as one does that was told to by somebody who died since, or died.
      } catch {
        throw EngineError("failed", "the network's supervisor does not end: \(error)")
      }
      try waitForSupervisor(directory)
    }
    guard hasProcesses(directory) else { return }
    throw EngineError(
      "failed", "the network's supervisor dies again and again", help: "see \(directory.log)")
  }

  /// The supervisor of a network that has one, or processes for which one is started then.
  private func supervisorToStop(_ directory: NetworkDirectory) throws -> NetworkClient? {
    if let running = try connectedNetwork(directory) { return running }
    // One that begins takes no connections yet, and one that ends none any more.
    var begun: NetworkClient?
    try waitForSupervisor(directory) {
      begun = try connectedNetwork(directory)
      return begun == nil
    }
    if let begun { return begun }
    guard hasProcesses(directory) else { return nil }
    do {
      return try connectNetwork(directory, executable: programs.network, host: host)
    } catch {
      // Without a configuration it stays only where it has taken up a process.
      guard hasProcesses(directory) else { return nil }
      throw EngineError("failed", "the network's processes can't be ended: \(error)")
    }
  }

  /// Waits until a network's supervisor has ended, while something else holds too.
  private func waitForSupervisor(
    _ directory: NetworkDirectory, while holds: () throws -> Bool = { true }
  ) throws {
    let deadline = host.uptime() + Self.networkPatience
    while try FileLock.isHeld(directory.lock), try holds() {
      guard host.uptime() < deadline else {
        throw EngineError(
          "failed", "the network's supervisor does not end", help: "see \(directory.log)")
      }
      usleep(2000)
    }
  }

  /// How long a supervisor may take to end, in nanoseconds.
  private static let networkPatience: UInt64 = 20_000_000_000

  /// Whether processes are recorded that a supervisor would take up.
  private func hasProcesses(_ directory: NetworkDirectory) -> Bool {
    [directory.gateProcess, directory.namesProcess, directory.uplinkProcess]
      .contains(where: fileExists)
  }

  /// Removes all files of a network that has been stopped.
  func removeNetworkDirectory(_ uid: String) throws {
    try removeTree(home.network(uid))
    try synchronizeDirectory(home.networks)
  }
}
