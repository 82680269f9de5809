internal import JSON
public import Resources

/// Makes random sets of resources that fit together: every reference leads to a resource of the
/// set, names, MACs, ports and volumes are had by one alone, and pools hold what is in them.
public struct ResourceGenerator: Sendable {
  /// What decides everything.
  public var random: SeededGenerator
  /// Which policies machines and volumes may have.
  public var policies: Policies
  /// Whether there are networks beside those of mode `user`, and security groups.
  public var servesNetworks: Bool

  /// What may decide beside the fields themselves.
  public enum Policies: Sendable {
    /// Nothing.
    case none
    /// Retention, and restarts at once.
    case mild
    /// Protection and forbidden restarts too, which refuse changes.
    case all
  }

  /// Makes a generator.
  public init(seed: UInt64, policies: Policies = .none, servesNetworks: Bool = false) {
    random = SeededGenerator(seed: seed)
    self.policies = policies
    self.servesNetworks = servesNetworks
  }

  /// A set of at most about twenty resources, in random order.
  public mutating func resources() -> [Resource] {
    let pools = names("pool").map { Resource.normalized(.storagePool, $0) }
    let resourcePools = self.resourcePools()
    let networks = names("net").map { name in
      Resource.normalized(
        .network, name, network(name),
        labels: [.init(name: "tier", value: String(Int.random(in: 0..<3, using: &random)))])
    }
    let images = names("image", atLeast: 1).map { image($0, pools) }
    let volumes = names("volume").map { volume($0, pools) }
    let groups = servesNetworks ? securityGroups() : []
    var machines: [Resource] = []
    for name in names("vm", upTo: 6) {
      machines.append(machine(name, images, networks, groups, resourcePools, volumes))
    }
    return (pools + resourcePools + networks + groups + images + volumes + machines)
      .shuffled(using: &random)
  }

  /// A network's mode goes with its name, so that no set takes from a machine of another set what
  /// that asks of it.
  private mutating func network(_ name: String) -> JSONValue {
    guard servesNetworks, name != "net0" else { return ["mode": "user"] }
    var spec: JSONValue = ["mode": name == "net1" ? "isolated" : "nat"]
    if random.oneIn(2) {
      spec["subnet"] = .string("10.\(Int.random(in: 70..<73, using: &random)).0.0/24")
    }
    if random.oneIn(2) { spec["ipv6"] = ["enabled": .bool(random.oneIn(2))] }
    if random.oneIn(2) {
      let address = "192.0.2.\(Int.random(in: 1..<4, using: &random))"
      spec["dns"] = ["hosts": [["name": "printer", "addresses": [.string(address)]]]]
    }
    if random.oneIn(3) { spec["mtu"] = 1400 }
    return spec
  }

  /// Groups that name themselves and each other.
  private mutating func securityGroups() -> [Resource] {
    let names = names("sg")
    return names.map { name in
      let peers = names.filter { _ in random.oneIn(2) }.map { JSONValue.string("group:\($0)") }
      var spec: JSONValue = ["default": ["egress": random.oneIn(2) ? "Allow" : "Deny"]]
      if !peers.isEmpty { spec["ingress"] = [["protocol": "tcp", "from": .array(peers)]] }
      return .normalized(.securityGroup, name, spec)
    }
  }

  private mutating func names(_ word: String, atLeast: Int = 0, upTo: Int = 4) -> [String] {
    (0..<upTo).map { "\(word)\($0)" }.filter { $0 == "\(word)0" && atLeast > 0 || !random.oneIn(3) }
  }

  private mutating func resourcePools() -> [Resource] {
    var made: [Resource] = []
    for name in names("rp", upTo: 3) {
      var spec: JSONValue = [
        "memory": ["reservation": .integer(Int64.random(in: 0...4, using: &random) << 20)]
      ]
      if let parent = made.randomElement(using: &random), !random.oneIn(2) {
        spec["parent"] = .string(parent.id.name)
      }
      made.append(.normalized(.resourcePool, name, spec))
    }
    return made
  }

  private mutating func image(_ name: String, _ pools: [Resource]) -> Resource {
    let path = ["/srv/a.tar", "/srv/b.tar"].randomElement(using: &random) ?? ""
    return .normalized(
      .image, name,
      [
        "source": ["archive": ["path": .string(path)]],
        "exclude": random.oneIn(3) ? ["/var/log"] : [],
      ])
  }

  private mutating func volume(_ name: String, _ pools: [Resource]) -> Resource {
    .normalized(
      .volume, name, decided(["size": .integer(1 << 30)]),
      labels: random.oneIn(2) ? [.init(name: "app", value: "data")] : [])
  }

  /// The specification with a life of its own, where there are policies.
  private mutating func decided(_ spec: JSONValue) -> JSONValue {
    var spec = spec
    guard policies != .none else { return spec }
    var lifecycle: JSONValue = [:]
    if random.oneIn(4) { lifecycle["deletionPolicy"] = "Retain" }
    if policies == .all, random.oneIn(4) { lifecycle["deletionProtection"] = true }
    if lifecycle != [:] { spec["lifecycle"] = lifecycle }
    return spec
  }

  private mutating func policy() -> JSONValue {
    let restarts: [JSONValue] = ["WhenStopped", "Automatic"] + (policies == .all ? ["Never"] : [])
    return [
      "restart": restarts.randomElement(using: &random) ?? "WhenStopped",
      "replace": random.oneIn(2) ? "Allow" : "Forbid",
    ]
  }

  private mutating func machine(
    _ name: String, _ images: [Resource], _ networks: [Resource], _ groups: [Resource],
    _ pools: [Resource], _ volumes: [Resource]
  ) -> Resource {
    var disks: [JSONValue] = []
    if let image = images.randomElement(using: &random) {
      disks.append(["name": "root", "image": .string(image.id.name)])
    }
    // A volume belongs to the machine of its number, so that no two sets give it to two.
    let own = volumes.first { $0.id.name.last == name.last }
    if let own, random.oneIn(2) {
      disks.append(["name": "data", "volume": .string(own.id.name)])
    }
    let number = Int64(name.utf8.last ?? 0)
    var interface: JSONValue = [
      "name": "lan", "mac": .string("52:54:00:00:00:\(number)"),
      "ports": [["guest": 80, "host": .integer(8000 + number)]],
    ]
    if let network = networks.randomElement(using: &random) {
      interface["network"] = .string(network.id.name)
      if network.id.name != "net0", let group = groups.randomElement(using: &random) {
        interface["securityGroups"] = [.string(group.id.name)]
        if random.oneIn(2) { interface["bandwidth"] = ["inbound": .integer(1 << 20)] }
      }
    }
    let strategies: [JSONValue] = ["Always", "RerunOnFailure", "Manual", "Halted"]
    var spec: JSONValue = [
      "runStrategy": strategies.randomElement(using: &random) ?? "Always",
      "cpu": ["count": .integer(Int64.random(in: 1...4, using: &random))],
      "memory": ["guest": .integer(Int64.random(in: 1...4, using: &random) << 28)],
      "disks": .array(disks), "interfaces": [interface],
    ]
    if let pool = pools.randomElement(using: &random) {
      spec["resourcePool"] = .string(pool.id.name)
    }
    if policies != .none, random.oneIn(2) { spec["updatePolicy"] = policy() }
    return .normalized(
      .virtualMachine, name, decided(spec),
      labels: random.oneIn(2) ? [.init(name: "app", value: name)] : [])
  }
}
