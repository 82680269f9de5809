internal import Diagnostics
public import EngineInterface
internal import GRDB
internal import Glibc
internal import JSON
internal import QEMU
internal import Resources
internal import Synchronization
public import SystemIO

/// The hypervisor engine that lives in the calling process: SQLite for what is true, files for
/// disks, one monitor process and one QEMU a machine.
///
/// Any number of processes may have the same home open; what excludes what is in the store.
public final class EmbeddedEngine: Engine {
  let home: HomeDirectory
  let store: Store
  let host: HostContext
  let imageBuilder: any ImageBuilder
  let secretSource: any SecretSource
  let programs: ProgramPaths
  /// Whose acts these are; nil leaves that open.
  let actor: EngineActor?
  let offload = Offload()
  let checkpoint: @Sendable (String) throws -> Void
  /// The networks that the host's routes and addresses are in.
  let hostNetworks: @Sendable () -> [UsedNetwork]
  let processID = getpid()
  private let session = Mutex<Session?>(nil)
  /// The publications of networks under way.
  let publications = Publications()
  /// Held while a pool's directory is made, since many disks may need it at once.
  let poolMaking = Mutex<Void>(())
  /// What runs guests' instructions, once it is known.
  let knownAccelerator = Mutex<AcceleratorChoice?>(nil)

  private init(
    home: HomeDirectory, store: Store, host: HostContext, imageBuilder: any ImageBuilder,
    secretSource: any SecretSource, programs: ProgramPaths, actor: EngineActor?,
    hostNetworks: @escaping @Sendable () -> [UsedNetwork],
    checkpoint: @escaping @Sendable (String) throws -> Void
  ) {
    self.home = home
    self.store = store
    self.host = host
    self.imageBuilder = imageBuilder
    self.secretSource = secretSource
    self.programs = programs
    self.actor = actor
    self.hostNetworks = hostNetworks
    self.checkpoint = checkpoint
  }

  /// Opens the engine whose state is below a directory, which is made where it is missing.
  ///
  /// Blocks for as long as files and the database take; nothing is started.
  ///
  /// - Parameters:
  ///   - home: an absolute path.
  ///   - actor: who is told in the events of what this engine does.
  /// - Throws: `EngineError`: `invalid-home`, `denied`, `no-space`, `store-corrupt`,
  ///   `newer-store`.
  public static func open(
    home: String, host: HostContext, imageBuilder: any ImageBuilder,
    secrets: any SecretSource = NoSecrets(), programs: ProgramPaths, actor: EngineActor? = nil
  ) throws -> EmbeddedEngine {
    try open(
      home: home, host: host, imageBuilder: imageBuilder, secrets: secrets, programs: programs,
      actor: actor,
      checkpoint: { _ in })
  }

  /// As the public one; `checkpoint` is called before and after each step of each act, and what
  /// it throws ends the act there.
  ///
  /// - Parameter hostNetworks: what the host uses; nil asks the kernel.
  package static func open(
    home path: String, host: HostContext, imageBuilder: any ImageBuilder,
    secrets: any SecretSource = NoSecrets(), programs: ProgramPaths, actor: EngineActor? = nil,
    hostNetworks: (@Sendable () -> [UsedNetwork])? = nil,
    checkpoint: @escaping @Sendable (String) throws -> Void
  ) throws -> EmbeddedEngine {
    do {
      let home = try HomeDirectory.open(path)
      let store = try Store(home.database, host: host)
      return EmbeddedEngine(
        home: try home.asRecorded(by: store), store: store, host: host,
        imageBuilder: imageBuilder, secretSource: secrets, programs: programs, actor: actor,
        hostNetworks: hostNetworks ?? HostNetworks.read, checkpoint: checkpoint)
    } catch {
      throw EngineError.wrapping(error, doing: "open the engine in \(path)")
    }
  }

  /// This engine's session, begun with its first act.
  func currentSession() throws -> Session {
    try session.withLock { session in
      if let session { return session }
      let new = try Session(home: home, host: host)
      session = new
      return new
    }
  }

  /// Tells what this engine did, and for whom.
  func addEvent(
    _ db: Database, _ id: ResourceID?, _ reason: String, _ message: String,
    source: SourceSpan? = nil, changes: [EngineEvent.Change] = []
  ) throws {
    try StoredEvent.add(
      db,
      StoredEvent.Entry(
        time: host.now().seconds, id: id, reason: reason, message: message, actor: actor,
        source: source, changes: changes))
  }

  /// Does one act; see `Engine`.
  public func perform(
    _ act: Act, inputs: String?, progress: @escaping @Sendable (ActProgress) -> Void
  ) async throws -> ActOutcome {
    do {
      switch act {
      case .create(let resource):
        return try await apply(.create, resource, inputs: inputs, progress: progress)
      case .update(let resource, let restart):
        return try await apply(
          .update, resource, restart: restart, inputs: inputs, progress: progress)
      case .replace(let resource):
        return try await apply(.replace, resource, inputs: inputs, progress: progress)
      case .delete(let id): return try await remove(id)
      case .retain(let id): return try await retain(id)
      case .start(let id): return try await startMachine(id)
      case .stop(let id): return try await stopMachine(id, grace: nil)
      }
    } catch let error as SimulatedDeath {
      throw error
    } catch {
      throw EngineError.wrapping(error, doing: "\(act.verb) \(act.id)")
    }
  }

  /// Takes the lock that excludes other changing commands; see `Engine`.
  public func lock(for command: String) async throws -> any EngineLock {
    try await wrapped("lock the engine") { [home, host, processID] in
      try CommandLock(home.commandLock, command: command, host: host, process: processID)
    }
  }

  /// Events from a sequence number on; see `Engine`.
  public func events(after sequence: Int64, limit: Int) async throws -> [EngineEvent] {
    try await wrapped("read events") { [store] in
      try store.read { db in try StoredEvent.read(db, after: sequence, limit: limit) }
    }
  }

  /// How far the store's commits are synchronised, for tests; 2 is all the way.
  package func commitSynchronisation() throws -> Int { try store.synchronisation() }

  /// Runs blocking work, its failures told as the engine's.
  func wrapped<Result: Sendable>(
    _ doing: String, _ body: @escaping @Sendable () throws -> Result
  ) async throws -> Result {
    do {
      return try await offload(body)
    } catch {
      throw EngineError.wrapping(error, doing: doing)
    }
  }
}
