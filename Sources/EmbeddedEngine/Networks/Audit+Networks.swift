internal import EngineInterface
internal import GRDB
internal import Networking
internal import Resources
internal import SystemIO

extension EmbeddedEngine {
  /// Compares the networks of the store with what is below their directory, both ways.
  func auditNetworks(_ resources: [StoredResource]) throws -> [Inconsistency] {
    let networks = try store.read { db in try networksWithPorts(db) }
    let names = Dictionary(uniqueKeysWithValues: networks.map { ($0.uid, $0) })
    var found: [Inconsistency] = []
    for uid in try namesInDirectory(home.networks) {
      let directory = NetworkDirectory(home.network(uid))
      if names[uid] != nil { continue }
      let isRunning = try FileLock.isHeld(directory.lock)
      found.append(
        Inconsistency(
          object: directory.path,
          problem: isRunning
            ? "a supervisor of no network runs there" : "no network has this directory"))
    }
    for network in networks { found += try audit(network) }
    return found
  }

  private func audit(_ network: StoredNetwork) throws -> [Inconsistency] {
    let directory = NetworkDirectory(home.network(network.uid))
    guard fileExists(directory.path) else {
      return [Inconsistency(object: "\(network.id)", problem: "it has no directory")]
    }
    var found: [Inconsistency] = []
    if try !FileLock.isHeld(directory.lock) {
      found.append(Inconsistency(object: "\(network.id)", problem: "it has no supervisor"))
    }
    let (expected, allocated) = try store.read { db in
      let expected = try NetworkConfiguration(db, StoredNetwork(db, network.id.name))
      return (expected, try Allocation.all(db, .address, beginning: network.uid + ":"))
    }
    // One that can't be read is not what it should be.
    if (try? NetworkConfiguration.read(directory)) != expected {
      found.append(
        Inconsistency(
          object: directory.configuration, problem: "it is not what the store says"))
    }
    let used = Set(expected.ports.flatMap { [$0.address, $0.address6] }.compactMap { $0 })
    for (owner, slot, value) in allocated where network.spec.hasIPv6 || !slot.hasSuffix("/6") {
      let address = network.address(in: value) ?? value
      if !used.contains(address), !slot.hasSuffix(Allocation.outgoing) {
        found.append(
          Inconsistency(
            object: address, problem: "machine \(owner) has it on \(network.id) and no port"))
      }
    }
    return found
  }
}
