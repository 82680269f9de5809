internal import EngineInterface
internal import GRDB
internal import Glibc
internal import JSON
internal import Networking
internal import Resources
internal import Supervision
internal import SystemIO

// Networks as their supervisors are to see them. All of this blocks.
extension EmbeddedEngine {
  /// Brings a network's supervisor to what the store says, with all acts under way.
  ///
  /// - Parameter launching: whether a supervisor is started where none runs; else what it has to
  ///   know waits in its file.
  /// - Throws: `EngineError` where it can't be as it should.
  func publish(_ network: String, launching: Bool = true) throws {
    try publications.perform("\(network) \(launching)") {
      try publishNow(network, launching: launching)
    }
  }

  private func publishNow(_ name: String, launching: Bool) throws {
    let uid = try store.read { db in
      try StoredResource.require(db, ResourceID(.network, name)).uid
    }
    let directory = NetworkDirectory(home.network(uid))
    if !fileExists(directory.path) {
      guard launching else { return }
      // The act that was to make it was cut short.
      try makeNetworkDirectory(uid)
    }
    // Across processes too: what was read before another's change must not be written after it.
    let lock = try FileLock("\(directory.path)/engine.lock", wait: true)
    try withExtendedLifetime(lock) {
      let configuration = try store.read { db in
        try NetworkConfiguration(db, StoredNetwork(db, name))
      }
      do {
        // One that can't be read is replaced.
        if (try? NetworkConfiguration.read(directory)) != configuration {
          // Whoever dies before the supervisor has read it leaves word.
          _ = try Descriptor.open(unreadMark(directory), [.readWrite, .create])
          try configuration.write(directory)
        }
        try reload(directory, launching: launching)
      } catch {
        throw networkFailed(name, directory, "\(error)")
      }
    }
  }

  /// Has a network's supervisor read its configuration, unless it is known to have; one that is
  /// started later reads it by itself.
  private func reload(_ directory: NetworkDirectory, launching: Bool) throws {
    for attempt in 1... {
      let client = try supervisor(of: directory, launching: launching)
      guard fileExists(unreadMark(directory)) else { return }
      do {
        try client?.reload()
        return try removeFile(unreadMark(directory))
      } catch let error as RPCError where error.isGone && attempt < 3 {
        // It died over it, and another takes its place.
      }
    }
  }

  /// There while a network's supervisor may not have read its configuration.
  func unreadMark(_ directory: NetworkDirectory) -> String { directory.path + "/unread" }

  private func supervisor(
    of directory: NetworkDirectory, launching: Bool
  ) throws -> NetworkClient? {
    if launching {
      return try connectNetwork(directory, executable: programs.network, host: host)
    }
    return try connectedNetwork(directory)
  }

  /// A connection to a network's supervisor; nil where none runs.
  func connectedNetwork(_ directory: NetworkDirectory) throws -> NetworkClient? {
    do {
      return try NetworkClient(directory, host: host)
    } catch {
      guard error.isNotFound || error.isRefused else { throw error }
      return nil
    }
  }

  private func networkFailed(
    _ name: String, _ directory: NetworkDirectory, _ reason: String
  ) -> EngineError {
    EngineError(
      "failed", "Network/\(name) is not as declared: \(reason)", help: "see \(directory.log)")
  }

  /// Whether a network is to be where its supervisor can't bring it while it runs: on another bridge
  /// of the host or on none, or with another way out through the host's routing.
  func isToBeElsewhere(_ name: String, uid: String) throws -> Bool {
    let directory = NetworkDirectory(home.network(uid))
    guard let old = try? NetworkConfiguration.read(directory) else {
      // It is nowhere yet, or an act was cut short that was about to stop it.
      return try FileLock.isHeld(directory.lock)
    }
    let new = try store.read { db in try NetworkConfiguration(db, StoredNetwork(db, name)) }
    if case .veth = old.uplink, old.uplink != new.uplink { return true }
    return (old.mode == .bridge) != (new.mode == .bridge) || old.bridge != new.bridge
  }

  /// Makes a network's directory.
  func makeNetworkDirectory(_ uid: String) throws {
    try makeDirectories(home.network(uid), permissions: 0o700)
    try synchronizeDirectory(home.networks)
  }
}

// Which networks an act on another resource concerns.
extension EmbeddedEngine {
  /// The networks that machines are plugged into, by name.
  func networksWithPorts() throws -> [String] {
    try store.read { db in try networksWithPorts(db).map(\.id.name) }
  }

  /// The same as the store has them, sorted by name.
  func networksWithPorts(_ db: Database) throws -> [StoredNetwork] {
    try StoredResource.all(db, kind: .network).map { try StoredNetwork(db, $0.id.name) }
      .filter(\.hasPorts)
  }

  /// The networks that have to know of a machine's interfaces, with those that it is about to
  /// leave.
  func networks(concernedBy change: Change) throws -> [String] {
    let (before, row) = try store.read { db in
      (change.before?.resource.spec, try StoredMachine.find(db, change.uid))
    }
    return try networks(of: [before, change.after?.spec, row?.runningSpec].compactMap { $0 })
  }

  /// The networks that have to know of the interfaces in machines' specifications.
  private func networks(of specs: [JSONValue]) throws -> [String] {
    // A damaged specification must not keep a machine from being removed.
    let interfaces = specs.flatMap { (try? MachineSpecification($0))?.interfaces ?? [] }
    let own = Set(interfaces.map(\.network))
    if own.isEmpty { return [] }
    // The rules of others may name a group that it is under.
    let isInGroup = interfaces.contains { !$0.securityGroups.isEmpty }
    return try networksWithPorts().filter { isInGroup || own.contains($0) }
  }

  /// Tells networks that a machine has left them, once that is committed.
  ///
  /// What can't be told now shows as drift of the network.
  func publishLeaving(_ change: Change) {
    guard change.id.kind == .virtualMachine, change.before != nil else { return }
    for name in (try? networks(concernedBy: change)) ?? [] {
      _ = try? publish(name, launching: false)
    }
  }
}

extension EmbeddedEngine {
  /// Tells networks of a guest that ended and was not on those that its machine is declared to be on.
  ///
  /// What can't be told now is told by the next look.
  func publishEnd(of row: StoredMachine) {
    guard let held = row.runningSpec else { return }
    let declared = try? store.read { db in try StoredResource.declaredSpec(db, uid: row.uid) }
    for name in (try? networks(of: [held, declared].compactMap { $0 })) ?? [] {
      _ = try? publish(name, launching: false)
    }
  }

  /// Lets the networks of a machine know what its next guest, or the one it has by now, is started
  /// with, where that is not what an earlier one had.
  func settleNetworks(_ uid: String) throws {
    guard try store.read({ db in try Allocation.hasOutgoing(db, owner: uid) }) else { return }
    let interfaces = try store.write { db in
      _ = try Allocation.freeOutgoing(db, owner: uid)
      guard let id = try StoredResource.address(db, uid: uid) else { return [String]() }
      let spec = try StoredResource.require(db, id).resource.spec
      return try MachineSpecification(spec).interfaces.map(\.network)
    }
    for name in try networksWithPorts() where interfaces.contains(name) { try publish(name) }
  }
}
