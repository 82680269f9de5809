internal import GRDB
internal import Synchronization

/// Puts the changes of many threads into one transaction, so that they share what a commit waits
/// for: the synchronisation of the disk.
///
/// Each change is all or nothing by itself, and durable when its caller goes on. Whoever comes to
/// the database first takes along all that wait by then.
final class GroupCommit: Sendable {
  private let pool: DatabasePool
  private let waiting = Mutex<[any PendingChange]>([])

  init(_ pool: DatabasePool) { self.pool = pool }

  /// Carries a change out and commits it; blocks until it is durable.
  func write<Result: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Result
  ) throws -> Result {
    let change = WaitingChange(body)
    waiting.withLock { $0.append(change) }
    pool.writeWithoutTransaction { db in
      // Another thread may have taken it along.
      if change.isOver { return }
      commit(takeAll(), db)
    }
    return try change.result()
  }

  private func takeAll() -> [any PendingChange] {
    waiting.withLock { waiting in
      defer { waiting = [] }
      return waiting
    }
  }

  private func commit(_ changes: [any PendingChange], _ db: Database) {
    do {
      try db.inTransaction(.immediate) {
        for change in changes {
          change.carryOut(db)
          // On a full or failing disk SQLite may take the whole transaction back by itself.
          guard db.isInsideTransaction else { throw change.problem ?? DatabaseError.lost }
        }
        return .commit
      }
    } catch {
      for change in changes { change.fail(error) }
    }
  }
}

extension DatabaseError {
  /// What was begun has come to no end.
  fileprivate static var lost: DatabaseError {
    DatabaseError(resultCode: .SQLITE_ABORT, message: "the transaction was taken back")
  }
}

/// A change that waits for its transaction.
private protocol PendingChange: Sendable {
  /// Whether it has been committed or has failed.
  var isOver: Bool { get }
  /// Why it failed; nil where it didn't.
  var problem: (any Error)? { get }
  /// Does it inside a transaction; its failure takes only itself back.
  func carryOut(_ db: Database)
  /// Notes that it has not been committed.
  func fail(_ error: any Error)
}

private final class WaitingChange<Value: Sendable>: PendingChange {
  private let body: @Sendable (Database) throws -> Value
  private let outcome = Mutex<Result<Value, any Error>?>(nil)

  init(_ body: @escaping @Sendable (Database) throws -> Value) { self.body = body }

  var isOver: Bool { outcome.withLock { $0 != nil } }

  var problem: (any Error)? {
    outcome.withLock { if case .failure(let error) = $0 { error } else { nil } }
  }

  func carryOut(_ db: Database) {
    let result = Result {
      var value: Value?
      try db.inSavepoint {
        value = try body(db)
        return .commit
      }
      guard let value else { throw DatabaseError.lost }
      return value
    }
    outcome.withLock { $0 = result }
  }

  func fail(_ error: any Error) { outcome.withLock { $0 = .failure(error) } }

  func result() throws -> Value {
    guard let outcome = outcome.withLock({ $0 }) else { throw DatabaseError.lost }
    return try outcome.get()
  }
}
