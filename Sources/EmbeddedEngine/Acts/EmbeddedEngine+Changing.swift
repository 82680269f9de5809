internal import EngineInterface
internal import GRDB
internal import JSON
internal import Resources
internal import SystemIO

// Create, update, replace and delete: intent, steps, outcome.
extension EmbeddedEngine {
  /// Makes or changes a resource.
  func apply(
    _ verb: Change.Verb, _ resource: Resource, restart: Bool = false,
    adopts: DiskAdoption? = nil, inputs: String?,
    progress: @escaping @Sendable (ActProgress) -> Void
  ) async throws -> ActOutcome {
    let handler = resource.id.kind.handler
    // Read once an act, so that what is written is what the digest is of.
    let secrets = try await offload { [self] in try self.secrets(of: resource) }
    let sources = try await neededInputs(of: resource, given: inputs)
    let inputs = secrets?.digest ?? sources
    let run = try await begin(verb, resource.id, progress: progress) { change in
      change.after = resource
      change.restart = restart
      change.inputs = inputs
      change.secrets = secrets
      change.adopts = adopts
    }
    return try await complete(run, handler) { try await handler.carryOut(run) }
  }

  /// Removes a resource; one that isn't there is removed already.
  func remove(_ id: ResourceID) async throws -> ActOutcome {
    let handler = id.kind.handler
    let isThere = try await offload { [self] in
      if try store.read({ db in try StoredResource.find(db, id) }) != nil { return true }
      // What a death after the outcome's commit left.
      try collectImages()
      return false
    }
    guard isThere else { return ActOutcome() }
    let run = try await begin(.delete, id, progress: { _ in }) { _ in }
    return try await complete(run, handler) {
      try await handler.remove(run)
      return ActOutcome(effect: .replace)
    }
  }

  /// Takes a resource out of its apply set: one transaction, so that nothing can be cut short.
  func retain(_ id: ResourceID) async throws -> ActOutcome {
    try await offload { [self] in
      try store.change { [self] db in
        var row = try StoredResource.require(db, id)
        row.resource.set = nil
        try row.update(db)
        try addEvent(db, id, "Retained", "\(id) is kept and belongs to no apply set any more")
      }
    }
    return ActOutcome()
  }

  /// Does the steps of an act that was begun, and commits its outcome or its failure.
  private func complete(
    _ run: ActRun, _ handler: any ResourceHandler, _ steps: () async throws -> ActOutcome
  ) async throws -> ActOutcome {
    do {
      let outcome = try await steps()
      try await finish(run, handler, outcome)
      return outcome
    } catch let error as SimulatedDeath {
      throw error
    } catch {
      try await giveUp(run, handler, because: EngineError.wrapping(error))
      throw error
    }
  }

  private func neededInputs(of resource: Resource, given: String?) async throws -> String? {
    guard resource.id.kind == .image else { return nil }
    if let given { return given }
    return try await imageBuilder.inputs(of: resource)
  }

  /// Commits to the act: from here on the resource shows as incomplete until it is finished.
  private func begin(
    _ verb: Change.Verb, _ id: ResourceID, progress: @escaping @Sendable (ActProgress) -> Void,
    _ fill: @escaping @Sendable (inout Change) -> Void
  ) async throws -> ActRun {
    try await offload { [self] in
      let label = "\(verb.rawValue) \(id.kind.rawValue) intent"
      try checkpoint("before \(label)")
      let session = try currentSession()
      try awaitDeath(id)
      let (change, intent) = try store.change { [self] db in
        try takeOver(db, id)
        let before = try StoredResource.find(db, id)
        var change = Change(
          verb: verb, id: id, uid: before?.uid ?? host.makeUUID(), before: before,
          now: host.now().seconds)
        fill(&change)
        if verb == .delete { try requireUnused(before, db) }
        try markIncomplete(change, db)
        if verb != .delete { try id.kind.handler.reserve(db, change, in: self) }
        let intent = try Intent.begin(
          db, session: session.id, process: processID, verb: verb.rawValue, id: id,
          uid: change.uid, now: change.now, data: change.noted)
        return (change, intent)
      }
      try checkpoint("after \(label)")
      return ActRun(self, change, intent: intent, progress: progress)
    }
  }

  private func markIncomplete(_ change: Change, _ db: Database) throws {
    let reason = "\(change.verb.rawValue) has not been completed"
    if var row = change.before {
      row.phase = .incomplete
      row.reason = reason
      // A resource that was never whole is what was asked for last.
      if !change.changesWhole, let after = change.after { row.resource = after }
      try row.update(db)
    } else if let after = change.after {
      try StoredResource(
        after, uid: change.uid, created: change.now, phase: .incomplete, reason: reason
      ).insert(db)
    }
  }

  private func requireUnused(_ row: StoredResource?, _ db: Database) throws {
    guard let row, !row.isBuiltIn else { return }
    let users = try row.users(db)
    guard users.isEmpty else {
      let names = users.prefix(5).map(\.description).joined(separator: ", ")
      let more = users.count > 5 ? " and \(users.count - 5) more" : ""
      throw EngineError(
        "in-use", "\(row.id) is used by \(names)\(more)", help: "delete or change those first")
    }
    guard row.id.kind == .network, let guest = try StoredNetwork.guestsLeaving(row.id, db).first
    else { return }
    throw EngineError(
      "in-use", "the guest of \(guest) is on \(row.id) until its next boot",
      help: "stop it, or restart it, first")
  }

  /// Commits the outcome.
  private func finish(
    _ run: ActRun, _ handler: any ResourceHandler, _ outcome: ActOutcome
  ) async throws {
    let change = run.change
    let label = "\(change.verb.rawValue) \(change.id.kind.rawValue) outcome"
    try await offload { [self] in
      try checkpoint("before \(label)")
      try store.change { [self] db in
        if let after = change.after {
          var row = try StoredResource.require(db, change.id)
          if let before = change.before, before.phase == .ready { row.generation += 1 }
          row.resource = after
          row.phase = .ready
          row.reason = nil
          row.inputs = change.inputs
          row.isBuiltIn = false
          row.details = try handler.details(db, change, in: self)
          if change.id.kind == .volume || change.id.kind == .virtualMachine {
            try StoredDisk.setMade(db, owner: change.uid, to: true)
          }
          try row.update(db)
        } else {
          try handler.forget(db, uid: change.uid)
          try change.before?.delete(db)
          try restoreBuiltIn(change, db)
        }
        try Intent.end(db, run.intent)
        try addEvent(
          db, change.id, change.verb.pastTense, "\(change.id) is \(change.verb.done)",
          source: change.after?.source, changes: change.changes(outcome))
      }
      try checkpoint("after \(label)")
      publishLeaving(change)
      try collectImages()
    }
  }

  /// A built-in resource that is deleted is there again as it was at first.
  private func restoreBuiltIn(_ change: Change, _ db: Database) throws {
    guard let original = builtInResources().first(where: { $0.id == change.id }) else { return }
    try StoredResource(
      original, uid: change.uid, created: change.before?.created ?? change.now, phase: .ready,
      isBuiltIn: true
    ).insert(db)
  }

  /// After a failure: what was to be made anew is undone; what was there stays, and shows as
  /// incomplete where it was touched.
  private func giveUp(
    _ run: ActRun, _ handler: any ResourceHandler, because error: EngineError
  ) async throws {
    let change = run.change
    var isUndone = false
    if change.before == nil {
      run.beginUndoing()
      do {
        try await handler.remove(run)
        isUndone = true
      } catch let death as SimulatedDeath {
        throw death
      } catch {
        // The first error is the one to tell; the row stays and says what is left.
      }
    }
    let forgets = isUndone
    try await offload { [self] in
      try store.change { [self] db in
        try Intent.end(db, run.intent)
        if forgets {
          try handler.forget(db, uid: change.uid)
          try StoredResource.find(db, change.id)?.delete(db)
        } else if var row = try StoredResource.find(db, change.id) {
          if !run.hasTouchedTheWorld, let before = change.before {
            row = before
          } else {
            row.reason = "\(change.verb.rawValue) failed: \(error.message)"
          }
          try row.update(db)
        }
        try addEvent(
          db, change.id, "Failed", "cannot \(change.verb.rawValue) \(change.id): \(error.message)",
          source: change.after?.source)
      }
      try collectImages()
    }
  }
}

extension Change.Verb {
  /// The word of an event.
  var pastTense: String {
    switch self {
    case .create: "Created"
    case .update: "Updated"
    case .replace: "Replaced"
    case .delete: "Deleted"
    }
  }

  var done: String { pastTense.lowercased() }
}
