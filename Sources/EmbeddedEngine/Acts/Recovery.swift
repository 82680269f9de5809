internal import EngineInterface
internal import GRDB
internal import Glibc
internal import Resources
internal import SystemIO

/// Thrown by a test's checkpoint in place of a death: nothing is cleared up.
package struct SimulatedDeath: Error {
  /// Where it happened.
  package let step: String

  /// Names the step.
  package init(step: String) { self.step = step }
}

// What is left of acts whose process died.
//
// The rule: the transaction that commits an intent also marks the resource incomplete and gives
// rows to all that the steps will make. So an act that is cut short leaves an incomplete resource
// whose parts are known; the next act on it, be it create or delete, does every step again, and
// steps find what is done already. Recovery itself only ends the dead intent, tells of it, and
// removes half-built images, which nothing could go on with.
extension EmbeddedEngine {
  /// Ends the intents of dead processes.
  ///
  /// What they had begun made older plans stale at its beginning; that they ended changes nothing
  /// that a plan rests on.
  func recover() throws {
    let intents = try store.read(Intent.all)
    for intent in intents where try !isAlive(intent) {
      if intent.id.kind == .image { try removeTree(home.building(intent.uid)) }
      try store.write { [self] db in
        guard let current = try Intent.find(db, intent.id), current.row == intent.row else {
          return
        }
        try end(db, intent)
      }
    }
    try collectImages()
  }

  /// Waits a moment for an intent whose process may be about to vanish: a child it was starting
  /// when it died holds its lock until it has become its own program.
  func awaitDeath(_ id: ResourceID) throws {
    for _ in 0..<100 {
      guard let intent = try store.read({ db in try Intent.find(db, id) }),
        try isAlive(intent)
      else { return }
      usleep(5000)
    }
  }

  /// Makes way for a new intent on a resource.
  ///
  /// - Throws: `EngineError` `busy` where a living process acts on it.
  func takeOver(_ db: Database, _ id: ResourceID) throws {
    guard let intent = try Intent.find(db, id) else { return }
    if try isAlive(intent) {
      throw EngineError(
        "busy", "process \(intent.process) is about to \(intent.verb) \(id)",
        help: "wait until it has ended, then try again")
    }
    try end(db, intent)
  }

  private func isAlive(_ intent: Intent) throws -> Bool {
    try Session.isAlive(intent.session, home: home)
  }

  private func end(_ db: Database, _ intent: Intent) throws {
    try Intent.end(db, intent.row)
    let step = intent.step.map { "after the step '\($0)'" } ?? "before its first step"
    // Whoever comes by and finds it is not who did it.
    try StoredEvent.add(
      db,
      StoredEvent.Entry(
        time: host.now().seconds, id: intent.id, reason: "Interrupted",
        message: "process \(intent.process) died \(step) of \(intent.verb) \(intent.id)"))
    if var row = try StoredResource.find(db, intent.id), row.phase == .incomplete {
      row.reason = "\(intent.verb) was cut short \(step)"
      try row.update(db)
    }
  }
}
