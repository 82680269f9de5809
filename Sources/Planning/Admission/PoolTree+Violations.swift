internal import Diagnostics
internal import Resources

/// What a pool tree can't hold.
struct PoolViolation {
  /// The pools any of which could be the one to blame; the last that the plan changes is.
  var involved: [String]
  /// The code, the message, the field and the way round.
  var problem: Diagnostic
}

extension PoolTree {
  /// What is wrong with the tree as it stands, pools in the order of their names.
  func violations() -> [PoolViolation] {
    let names = nodes.keys.filter { $0 != PoolTree.host }.sorted()
    var found: [PoolViolation] = cyclic.map { name in
      PoolViolation(
        involved: cyclic,
        problem: Diagnostic(
          "pool-cycle", "ResourcePool/\(name) is its own ancestor", path: "spec.parent",
          help: "name another parent, or leave 'parent' out"))
    }
    for name in names + [PoolTree.host] {
      for part in PoolPart.allCases {
        let involved = names.filter { chain($0).contains(name) }
        found += [limitProblem(name, part), reservationProblem(name, part)].compactMap { $0 }
          .map { PoolViolation(involved: involved, problem: $0) }
        guard let problem = ceilingProblem(name, part) else { continue }
        // The child last, for the limit is its own.
        found.append(PoolViolation(involved: chain(name).reversed(), problem: problem))
      }
    }
    return found
  }

  /// A limit below what is in use or guaranteed.
  private func limitProblem(_ name: String, _ part: PoolPart) -> Diagnostic? {
    guard name != PoolTree.host, let node = nodes[name], let limit = node.facts(part).limit else {
      return nil
    }
    let path = "spec.\(part.field).limit"
    if part == .memory, node.memoryUsed > limit {
      return Diagnostic(
        "pool-limit",
        "the memory limit of \(self.path(name)), \(part.text(limit)), is below the "
          + "\(part.text(node.memoryUsed)) of the machines in it",
        path: path, help: "raise the limit, or make or halt machines first")
    }
    guard node.demand(part) > limit else { return nil }
    return Diagnostic(
      "pool-limit",
      "the \(part.word) limit of \(self.path(name)), \(part.text(limit)), is below the "
        + "\(part.text(node.demand(part))) that it guarantees",
      path: path, help: "raise the limit or lower the reservations")
  }

  /// More promised to those below than there is.
  private func reservationProblem(_ name: String, _ part: PoolPart) -> Diagnostic? {
    guard let node = nodes[name], !node.facts(part).isExpandable,
      node.reserved(part) > node.facts(part).reservation
    else { return nil }
    let has = name == PoolTree.host ? "has" : "reserves"
    return Diagnostic(
      "pool-reservation",
      "\(part.text(node.reserved(part))) of \(part.word) are reserved in \(path(name)), which "
        + "\(has) \(part.text(node.facts(part).reservation))",
      path: "spec.\(part.field).reservation", help: "lower the reservations")
  }

  /// A limit above that of a pool above, which could never be reached.
  private func ceilingProblem(_ name: String, _ part: PoolPart) -> Diagnostic? {
    guard name != PoolTree.host, let limit = nodes[name]?.facts(part).limit,
      let above = chain(name).dropFirst().first(where: { nodes[$0]?.facts(part).limit != nil }),
      let ceiling = nodes[above]?.facts(part).limit, limit > ceiling
    else { return nil }
    return Diagnostic(
      "pool-limit",
      "the \(part.word) limit of \(path(name)), \(part.text(limit)), is above the "
        + "\(part.text(ceiling)) of \(path(above))",
      path: "spec.\(part.field).limit", help: "write at most \(part.text(ceiling))")
  }

  /// Why a machine can't run in its pool; nil where it can.
  func problem(adding machine: MachineFacts) -> Diagnostic? {
    let home = home(of: machine)
    for name in chain(home) {
      guard let node = nodes[name], let limit = node.facts.memory.limit,
        saturated(node.memoryUsed, machine.memory) > limit
      else { continue }
      let left = PoolPart.memory.text(max(0, limit - node.memoryUsed))
      return Diagnostic(
        name == PoolTree.host ? "host-memory" : "pool-limit",
        "needs \(PoolPart.memory.text(machine.memory)) of memory, and \(path(name)) has \(left) "
          + "left of \(PoolPart.memory.text(limit))",
        path: "spec.memory.guest",
        help: name == PoolTree.host
          ? "make it smaller, or halt another machine"
          : "make it smaller, or raise spec.memory.limit of ResourcePool/\(name)")
    }
    return reservationProblem(machine.cpuReservation, .cpu, home)
      ?? reservationProblem(machine.memoryReservation, .memory, home)
  }

  private func reservationProblem(
    _ wanted: Int64, _ part: PoolPart, _ home: String
  ) -> Diagnostic? {
    var amount = wanted
    for name in chain(home) {
      guard amount > 0, let node = nodes[name] else { return nil }
      let facts = node.facts(part)
      let sum = saturated(node.reserved(part), amount)
      let ceiling = facts.isExpandable ? facts.limit : min(facts.reservation, facts.limit ?? .max)
      if let ceiling, sum > ceiling {
        let left = part.text(max(0, ceiling - node.reserved(part)))
        let advice =
          name == PoolTree.host
          ? "" : ", or raise spec.\(part.field).reservation of ResourcePool/\(name)"
        return Diagnostic(
          "pool-reservation",
          "reserves \(part.text(wanted)) of \(part.word), and \(path(name)) has \(left) left of "
            + part.text(ceiling),
          path: "spec.\(part.field).reservation", help: "reserve less" + advice)
      }
      amount = max(facts.reservation, sum) - node.demand(part)
    }
    return nil
  }
}
