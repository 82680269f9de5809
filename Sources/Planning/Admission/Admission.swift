internal import Diagnostics
internal import EngineInterface
internal import JSON
internal import Resources

/// Whether everything that will be there fits: pools, host, and what only one can have.
///
/// What a plan doesn't touch is there already and stays; of what it does, the later in the order of
/// addresses gives way.
struct Admission {
  /// What gives way: the index of a candidate, and why.
  private(set) var violations: [(index: Int, problem: Diagnostic)] = []

  private let draft: Draft
  private let host: HostCapacity
  /// Machines that stay as they are.
  private var fixed: [(resource: Resource, facts: MachineFacts, runs: Bool)] = []
  /// Candidates that make or change machines.
  private var moving: [Int] = []
  /// Pools that stay as they are.
  private var fixedPools: [Resource] = []
  private var movingPools: [Int] = []
  private var networks = NetworkFit()

  init(_ draft: Draft) {
    self.draft = draft
    host = draft.observed.host
    moving = draft.living(.virtualMachine)
    movingPools = draft.living(.resourcePool)
    let movingNetworks = draft.living(.network)
    if moving.isEmpty, movingPools.isEmpty, movingNetworks.isEmpty { return }
    collectFixed()
    networks = NetworkFit(draft)
    for index in movingNetworks { admitNetwork(index) }
    var tree = admitPools()
    admitMachines(&tree)
  }

  private mutating func collectFixed() {
    for stored in draft.observed.resources {
      if let index = draft.index(of: stored.resource.id), !draft.candidates[index].isRefused {
        continue
      }
      switch stored.resource.id.kind {
      case .resourcePool: fixedPools.append(stored.resource)
      case .virtualMachine:
        let facts = MachineFacts(stored.resource.spec)
        fixed.append((stored.resource, facts, facts.willRun(stored.machine)))
      default: break
      }
    }
  }

  // MARK: Pools

  private mutating func admitPools() -> PoolTree {
    while true {
      var tree = PoolTree(pools(), host: host)
      for machine in fixed where machine.runs { tree.add(machine.facts) }
      guard let (index, problem) = ruling(tree.violations()) else { return tree }
      refuse(index, problem)
      movingPools.removeAll { $0 == index }
      if let stored = draft.candidates[index].stored?.resource { fixedPools.append(stored) }
    }
  }

  private func pools() -> [(name: String, facts: PoolFacts)] {
    let moved = movingPools.compactMap { draft.candidates[$0].desired }
    return (fixedPools + moved).sorted { $0.id < $1.id }.map { ($0.id.name, PoolFacts($0.spec)) }
  }

  /// The first violation that giving up a change would mend, and that change.
  private func ruling(_ violations: [PoolViolation]) -> (Int, Diagnostic)? {
    for violation in violations {
      if let index = culprit(violation.involved) { return (index, violation.problem) }
    }
    return nil
  }

  /// The last of the pools involved that the plan changes.
  private func culprit(_ names: [String]) -> Int? {
    for name in names.reversed() {
      if let index = movingPools.first(where: { draft.candidates[$0].id.name == name }) {
        return index
      }
    }
    return nil
  }

  // MARK: Networks

  /// A network that stops giving what a machine on it, which stays as it is, has of it gives way.
  private mutating func admitNetwork(_ index: Int) {
    let candidate = draft.candidates[index]
    guard candidate.stored != nil, let desired = candidate.desired else { return }
    for machine in fixed {
      for problem in networks.problems(of: machine.resource, on: desired.id.name) {
        refuse(
          index,
          Diagnostic(
            problem.code, "\(machine.resource.id), \(problem.path): \(problem.message)",
            path: "spec.\(problem.cause)", at: desired.place(of: problem.cause),
            help: "change the machine with the network, or before it"))
        return
      }
    }
  }

  // MARK: Machines

  private mutating func admitMachines(_ tree: inout PoolTree) {
    var claims = claimTable()
    for machine in fixed {
      claims.take(machine.resource, runs: machine.runs)
    }
    for index in moving {
      let candidate = draft.candidates[index]
      guard let desired = candidate.desired else { continue }
      let facts = MachineFacts(desired.spec)
      let runs = facts.willRun(candidate.stored?.machine)
      var problems = claims.conflicts(of: desired, runs: runs)
      problems += networks.problems(of: desired).map { problem in
        Diagnostic(problem.code, problem.message, path: problem.path, help: problem.help)
      }
      if runs, !isModest(facts, candidate.stored) {
        problems += [processorProblem(facts), tree.problem(adding: facts)].compactMap { $0 }
      }
      guard problems.isEmpty else {
        for problem in problems { refuse(index, problem) }
        if let stored = candidate.stored {
          let facts = MachineFacts(stored.resource.spec)
          if facts.willRun(stored.machine) { tree.add(facts) }
          claims.take(stored.resource, runs: facts.willRun(stored.machine))
        }
        continue
      }
      claims.take(desired, runs: runs)
      if runs { tree.add(facts) }
    }
  }

  /// Whether a machine asks for nothing that its guest doesn't have by now: what is there is not
  /// refused, even where it is too much.
  private func isModest(_ facts: MachineFacts, _ stored: ObservedResource?) -> Bool {
    guard let stored, stored.machine?.state.hasGuest == true else { return false }
    let old = MachineFacts(stored.resource.spec)
    return facts.pool == old.pool && facts.cpus <= old.cpus && facts.memory <= old.memory
      && facts.cpuReservation <= old.cpuReservation
      && facts.memoryReservation <= old.memoryReservation
  }

  private func processorProblem(_ facts: MachineFacts) -> Diagnostic? {
    guard facts.cpus > host.maximumCPUsPerMachine else { return nil }
    return Diagnostic(
      "host-cpus",
      "has \(facts.cpus) processors, and a machine can have \(host.maximumCPUsPerMachine) here",
      path: facts.hasMaximum ? "spec.cpu.max" : "spec.cpu.count",
      help: "write at most \(host.maximumCPUsPerMachine)")
  }

  private func claimTable() -> ClaimTable {
    var separate: Set<String> = []
    var served: Set<String> = []
    var ours: [Claim] = []
    for stored in draft.observed.resources {
      let resource = stored.resource
      if resource.id.kind == .network {
        if isSeparate(resource) { separate.insert(resource.id.name) }
        if resource.networkMode?.isSegment == true { served.insert(resource.id.name) }
      }
      // A guest of its own network listens itself; for others the network does, guest or not.
      let hasGuest = stored.machine?.state.hasGuest == true
      ours += resource.claims.filter { site in
        hasGuest || site.network.map(served.contains) ?? false
      }.map(\.claim)
    }
    for index in draft.living(.network) {
      guard let desired = draft.candidates[index].desired else { continue }
      separate.remove(desired.id.name)
      if isSeparate(desired) { separate.insert(desired.id.name) }
    }
    return ClaimTable(separateNetworks: separate, host: host, ours: Set(ours))
  }

  private func isSeparate(_ network: Resource) -> Bool { network.networkMode == .user }

  private mutating func refuse(_ index: Int, _ problem: Diagnostic) {
    var problem = problem
    if problem.span == nil, let desired = draft.candidates[index].desired {
      problem.span = desired.place(of: problem.path)
    }
    violations.append((index, problem))
  }
}

extension Draft {
  /// The candidates of a kind that are neither refused nor deletes, in the order of addresses.
  func living(_ kind: Kind) -> [Int] {
    candidates.indices.filter {
      candidates[$0].id.kind == kind && !candidates[$0].isRefused && !candidates[$0].isDelete
    }
  }
}
