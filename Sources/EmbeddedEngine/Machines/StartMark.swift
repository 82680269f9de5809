internal import JSON
internal import Resources

/// Tells what a guest was started with from what was applied later, in its monitor's records.
///
/// As text `GENERATION-SPECIFICATION+NETWORKS`. The generation alone would not do: an act that was
/// cut short may come with the same one and another specification.
struct StartMark: Hashable, Sendable {
  /// Of the machine's specification.
  var specification: String
  /// Of its networks' definitions; nil in a record from before these were told apart.
  var networks: String?

  /// The mark of what the next start will run.
  init(_ resource: Resource, generation: Int64, networks: NetworkDefinitions) {
    specification = resource.mark(generation)
    self.networks = networks.mark
  }

  /// Reads a record's.
  init(_ text: String) {
    let parts = text.split(separator: "+", maxSplits: 1)
    specification = parts.first.map(String.init) ?? ""
    networks = parts.count > 1 ? String(parts[1]) : nil
  }

  var text: String { networks.map { "\(specification)+\($0)" } ?? specification }
}

extension Resource {
  /// The part of a start's mark that tells of a machine's specification.
  func mark(_ generation: Int64) -> String {
    "\(generation)-\(String(fnv1a(spec.text().utf8), radix: 16))"
  }

  /// What a guest gets of a network at its start.
  ///
  /// In mode `user` that is all of it; in the others it is plugged into something that changes by
  /// itself, but for what was agreed on at the start.
  var networkDefinition: JSONValue {
    var definition = spec
    let isUser = spec["mode"]?.string == NetworkSpecification.Mode.user.rawValue
    for name in ["lifecycle"] + (isUser ? [] : ["dhcp", "dns"]) { definition[name] = nil }
    return definition
  }
}

/// What the networks of a machine's interfaces are defined as.
struct NetworkDefinitions: Sendable {
  /// By the interface's name.
  private(set) var byInterface: [String: JSONValue] = [:]

  /// Looks up the network of each interface; one that is not there counts as an empty one.
  init(_ machine: MachineSpecification, _ definition: (String) throws -> JSONValue?) rethrows {
    for interface in machine.interfaces {
      byInterface[interface.name] = try definition(interface.network) ?? [:]
    }
  }

  /// The mode of an interface's network; nil where it is not there.
  func mode(of interface: String) -> NetworkSpecification.Mode? {
    byInterface[interface]?["mode"]?.string.flatMap(NetworkSpecification.Mode.init(rawValue:))
  }

  /// The part of a start's mark that tells of them.
  var mark: String {
    let lines = byInterface.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.text())\n" }
    return String(fnv1a(lines.joined().utf8), radix: 16)
  }

  /// The interfaces whose networks were defined otherwise when the guest got them, by path.
  ///
  /// - Parameters:
  ///   - running: the mark of what the guest was started with.
  ///   - machine: what is recorded of what it got.
  func outdated(in running: StartMark?, _ machine: StoredMachine) -> [String] {
    guard let got = machine.runningNetworks, running?.networks != mark else { return [] }
    return byInterface.filter { name, now in got[name].map { $0 != now } ?? false }.keys.sorted()
      .map { "interfaces[\($0)].network" }
  }
}
