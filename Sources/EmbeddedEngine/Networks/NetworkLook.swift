internal import EngineInterface
internal import GRDB
internal import JSON
internal import Networking
internal import Resources
internal import Synchronization
internal import SystemIO

/// What a look at a network's supervisor gave.
struct NetworkLook: Sendable {
  /// What it says; nil where none runs, or it does not answer.
  var status: NetworkStatus?
  /// Why it does not say anything.
  var problem: String?

  /// Whether a supervisor runs at all.
  var isRunning = true

  /// What is not as it was applied last.
  var drift: [Drift] {
    guard let status else {
      // One that is slow to answer has changed nothing.
      if isRunning { return [] }
      return [
        Drift(
          path: "supervisor", applied: "running", actual: nil, effect: .live,
          note: "it is started again")
      ]
    }
    guard status.state == .failed else { return [] }
    return [
      Drift(
        path: "state", applied: "up", actual: .string(status.problem), effect: .live,
        note: "it is built again")
    ]
  }
}

extension EmbeddedEngine {
  /// Asks the supervisors of all networks that have one, several at a time.
  func lookAtNetworks() throws -> [String: NetworkLook] {
    let uids = try store.read { db in
      try networksWithPorts(db).map(\.uid)
    }
    if uids.isEmpty { return [:] }
    let found = Mutex<[String: NetworkLook]>([:])
    try Offload.forEach(uids.count) { [self] index in
      let look = look(at: NetworkDirectory(home.network(uids[index])))
      found.withLock { $0[uids[index]] = look }
    }
    return found.withLock { $0 }
  }

  /// Milliseconds that a supervisor gets to answer a look, which many wait for.
  private static let lookLimit = 3000

  private func look(at directory: NetworkDirectory) -> NetworkLook {
    do {
      guard let client = try connectedNetwork(directory) else {
        return NetworkLook(problem: "no supervisor runs", isRunning: false)
      }
      return NetworkLook(status: try client.status(milliseconds: Self.lookLimit))
    } catch {
      return NetworkLook(problem: "\(error)")
    }
  }

  /// Brings the files of networks to what guests have that were started or ended by themselves, and
  /// to what an act that was cut short left to be told.
  func settleNetworks(_ examined: [String: Examined]) {
    // What can't be told now is told by the next act, or the next look.
    try? whereItCanBeWritten {
      let networks = try store.read { db in
        // Whoever acts tells of it himself.
        guard try Intent.all(db).isEmpty else { return [StoredNetwork]() }
        return try networksWithPorts(db)
      }
      if networks.isEmpty { return }
      let looks = examined.compactMapValues(\.running?.specification)
        .sorted { $0.key < $1.key }
      let settled = try store.read { db in
        try looks.filter { uid, running in try isSettled(db, uid, running) }
      }
      for (uid, running) in settled { try forgetStaged(uid, running) }
      let configurations = try store.read { db in
        let rows = try PlugRows(db, of: networks)
        return try networks.map { try NetworkConfiguration(db, $0, rows) }
      }
      for (network, configuration) in zip(networks, configurations)
      where isOutdated(NetworkDirectory(home.network(network.uid)), configuration) {
        try publish(network.id.name, launching: false)
      }
    }
  }

  /// Whether a guest was started by itself with what was staged before, which is not known yet.
  private func isSettled(_ db: Database, _ uid: String, _ running: String) throws -> Bool {
    guard let machine = try StoredMachine.find(db, uid), !machine.isDown else { return false }
    let hasOutgoing = try Allocation.hasOutgoing(db, owner: uid)
    guard machine.runningSpec != nil || hasOutgoing,
      let id = try StoredResource.address(db, uid: uid)
    else { return false }
    let row = try StoredResource.require(db, id)
    return running == row.resource.mark(row.generation)
  }

  /// Forgets what was in effect before a guest was started with all that is stored, and frees the
  /// addresses that went with it.
  private func forgetStaged(_ uid: String, _ running: String) throws {
    try store.write { [self] db in
      guard try isSettled(db, uid, running), var machine = try StoredMachine.find(db, uid)
      else { return }
      machine.runningSpec = nil
      _ = try Allocation.freeOutgoing(db, owner: uid)
      try save(machine, db)
    }
  }

  private func isOutdated(
    _ directory: NetworkDirectory, _ configuration: NetworkConfiguration
  ) -> Bool {
    guard fileExists(directory.configuration) else { return false }
    if fileExists(unreadMark(directory)) { return true }
    // One that can't be read is replaced.
    return (try? NetworkConfiguration.read(directory)) != configuration
  }
}
