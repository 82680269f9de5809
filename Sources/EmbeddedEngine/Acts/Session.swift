internal import EngineInterface
internal import Synchronization
internal import SystemIO

/// Shows other processes that this engine lives: a lock that dies with the process.
///
/// An intent in the journal names the session that began it; once the session's lock is free, its
/// process is dead and whoever comes next may take the intent over.
final class Session: Sendable {
  let id: String
  private let path: String
  private let lock: FileLock

  init(home: HomeDirectory, host: HostContext) throws {
    while true {
      let id = host.makeUUID()
      let path = home.session(id)
      // Between making and locking the file a sweep may lock it, or take it away; then another.
      guard let lock = try Self.tryLock(path), fileExists(path) else { continue }
      self.id = id
      self.path = path
      self.lock = lock
      return
    }
  }

  deinit {
    // What stays is swept by the next engine.
    try? removeFile(path)
  }

  private static func tryLock(_ path: String) throws -> FileLock? {
    do {
      return try FileLock(path)
    } catch {
      guard error.isHeldElsewhere else { throw error }
      return nil
    }
  }

  /// Whether the process of a session lives; a dead one's file is removed.
  static func isAlive(_ id: String, home: HomeDirectory) throws -> Bool {
    let path = home.session(id)
    guard fileExists(path) else { return false }
    guard let lock = try tryLock(path) else { return true }
    try withExtendedLifetime(lock) { try removeFile(path) }
    return false
  }

  /// Removes the files of all sessions whose processes are dead.
  static func sweep(_ home: HomeDirectory) throws {
    for id in try namesInDirectory(home.sessions) { _ = try isAlive(id, home: home) }
  }
}

extension SystemError {
  /// Whether a lock is refused because somebody else holds it (fcntl(2): EAGAIN or EACCES).
  var isHeldElsewhere: Bool { errno == 11 || errno == 13 && operation == "lock" }
}

/// The lock that keeps two changing commands apart; its file tells who holds it.
final class CommandLock: EngineLock {
  private let held: Mutex<FileLock?>
  private let path: String

  init(_ path: String, command: String, host: HostContext, process: Int32) throws {
    let lock = try Self.lock(path, host)
    let text = "`ingot \(command)`, process \(process), since \(host.now())"
    let file = try Descriptor.open(path, [.write, .truncate])
    try file.write(Array(text.utf8))
    self.path = path
    held = Mutex(lock)
  }

  private static func lock(_ path: String, _ host: HostContext) throws -> FileLock {
    do {
      return try FileLock.patient(path, milliseconds: 500, host: host)
    } catch {
      guard error.isHeldElsewhere else { throw error }
      // The holder's words are for the message only; without them it is a plain one.
      let holder = (try? readFile(path, limit: 4096)).map { String(decoding: $0, as: UTF8.self) }
      let who = holder.flatMap { $0.isEmpty ? nil : $0 } ?? "another command"
      throw EngineError(
        "busy", "the engine is being changed by \(who)",
        help: "wait until it has ended, then try again")
    }
  }

  deinit { release() }

  func release() {
    held.withLock { lock in
      guard lock != nil else { return }
      // The text is no more than a courtesy; the lock itself goes with the descriptor.
      _ = try? Descriptor.open(path, [.write, .truncate])
      lock = nil
    }
  }
}
