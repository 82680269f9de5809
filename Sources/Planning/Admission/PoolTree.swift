internal import EngineInterface
internal import JSON
internal import Resources

/// What a resource pool gives, read off its specification.
struct PoolFacts {
  struct Part {
    var reservation: Int64
    var limit: Int64?
    var isExpandable: Bool

    init(_ value: JSONValue?) {
      reservation = value?["reservation"]?.integer ?? 0
      limit = value?["limit"]?.integer
      isExpandable = value?["expandable"]?.bool ?? true
    }

    init(capacity: Int64) {
      reservation = capacity
      limit = capacity
      isExpandable = false
    }
  }

  var parent: String?
  var cpu: Part
  var memory: Part

  init(_ spec: JSONValue) {
    parent = spec["parent"]?.string
    cpu = Part(spec["cpu"])
    memory = Part(spec["memory"])
  }

  /// The host as the pool above all.
  init(_ host: HostCapacity) {
    cpu = Part(capacity: host.cpuMillicores)
    memory = Part(capacity: host.memory)
  }
}

/// The two things pools share out.
enum PoolPart: CaseIterable {
  case cpu
  case memory

  var word: String { self == .cpu ? "CPU" : "memory" }
  var field: String { self == .cpu ? "cpu" : "memory" }

  func text(_ amount: Int64) -> String {
    self == .cpu ? Quantity.text(millicores: amount) : Quantity.text(bytes: amount)
  }
}

/// The tree of resource pools with what is reserved and used in it; the host is the root.
struct PoolTree {
  struct Node {
    var facts: PoolFacts
    /// What those directly below have reserved, as far as it is more than this pool's own share.
    var cpuReserved: Int64 = 0
    var memoryReserved: Int64 = 0
    /// Memory of the running machines in the pool and below.
    var memoryUsed: Int64 = 0

    func facts(_ part: PoolPart) -> PoolFacts.Part { part == .cpu ? facts.cpu : facts.memory }
    func reserved(_ part: PoolPart) -> Int64 { part == .cpu ? cpuReserved : memoryReserved }
    /// What this pool holds of the one above.
    func demand(_ part: PoolPart) -> Int64 { max(facts(part).reservation, reserved(part)) }
  }

  /// The name of the root; no pool can have it.
  static let host = ""

  private(set) var nodes: [String: Node] = [:]
  /// Pools whose ancestors go round in circles.
  private(set) var cyclic: [String] = []

  /// Builds the tree; a pool whose ancestors go round in circles hangs below the host.
  init(_ pools: [(name: String, facts: PoolFacts)], host: HostCapacity) {
    nodes[PoolTree.host] = Node(facts: PoolFacts(host))
    for pool in pools { nodes[pool.name] = Node(facts: pool.facts) }
    for pool in pools where chain(pool.name).last != PoolTree.host {
      cyclic.append(pool.name)
      nodes[pool.name]?.facts.parent = nil
    }
    for pool in pools {
      for part in PoolPart.allCases {
        let parent = parent(of: pool.name)
        reserve(pool.facts.reservation(part), part, at: parent)
      }
    }
  }

  /// The pool's ancestors and itself, from itself up; the host last.
  func chain(_ name: String) -> [String] {
    var chain = [name]
    while let last = chain.last, last != PoolTree.host, chain.count <= nodes.count {
      chain.append(parent(of: last))
    }
    return chain
  }

  /// The path of a pool, `prod/dev`, or `the host`.
  func path(_ name: String) -> String {
    if name == PoolTree.host { return "the host" }
    return "pool " + chain(name).dropLast().reversed().joined(separator: "/")
  }

  /// The pool above; the host for one that has none or whose own isn't there.
  func parent(of name: String) -> String {
    guard let parent = nodes[name]?.facts.parent, nodes[parent] != nil else { return PoolTree.host }
    return parent
  }

  /// Where a machine is billed to.
  func home(of machine: MachineFacts) -> String {
    nodes[machine.pool] == nil ? PoolTree.host : machine.pool
  }

  /// Counts a running machine.
  mutating func add(_ machine: MachineFacts) {
    let home = home(of: machine)
    for name in chain(home) {
      let used = nodes[name]?.memoryUsed ?? 0
      nodes[name]?.memoryUsed = saturated(used, machine.memory)
    }
    reserve(machine.cpuReservation, .cpu, at: home)
    reserve(machine.memoryReservation, .memory, at: home)
  }

  private mutating func reserve(_ amount: Int64, _ part: PoolPart, at first: String) {
    var amount = amount
    for name in chain(first) {
      guard amount > 0, var node = nodes[name] else { return }
      let before = node.demand(part)
      switch part {
      case .cpu: node.cpuReserved = saturated(node.cpuReserved, amount)
      case .memory: node.memoryReserved = saturated(node.memoryReserved, amount)
      }
      amount = node.demand(part) - before
      nodes[name] = node
    }
  }
}

extension PoolFacts {
  func reservation(_ part: PoolPart) -> Int64 {
    part == .cpu ? cpu.reservation : memory.reservation
  }
}

/// A sum that stays at the largest number where it would not fit.
func saturated(_ a: Int64, _ b: Int64) -> Int64 {
  let (sum, overflow) = a.addingReportingOverflow(b)
  return overflow ? .max : sum
}
