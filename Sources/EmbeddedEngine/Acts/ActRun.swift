internal import EngineInterface
internal import GRDB
internal import JSON
internal import Resources
internal import Synchronization

/// What an act changes, as far as it is known before it begins.
struct Change: Sendable {
  /// Which sort of change is made.
  enum Verb: String, Sendable {
    case create, update, replace, delete
  }
  var verb: Verb
  var id: ResourceID
  /// The identity in the store; kept for as long as the name is.
  var uid: String
  /// The row as it was; nil where there was none.
  var before: StoredResource?
  /// What is asked for; nil for a delete.
  var after: Resource?
  /// Whether a running machine may be stopped and started.
  var restart = false
  /// For images, the digest of what they are built from; for machines, that of their secrets.
  var inputs: String?
  /// The values of a machine's secrets; never stored.
  var secrets: MachineSecrets?
  /// The image from outside that a new volume is made of.
  var adopts: DiskAdoption?
  var now: Int64

  /// What the journal keeps of it, for those who look while the act is under way.
  var noted: JSONValue {
    switch id.kind {
    case .network, .securityGroup, .virtualMachine: after.map { ["spec": $0.spec] } ?? [:]
    default: [:]
    }
  }

  /// Whether the resource is there as a whole, so that it is changed and not made.
  var changesWhole: Bool { before.map { $0.phase == .ready } ?? false }
}

/// One journaled act under way: named steps, each safe to do again.
final class ActRun: Sendable {
  let engine: EmbeddedEngine
  let change: Change
  let intent: Int64
  let progress: @Sendable (ActProgress) -> Void
  private let touched = Mutex(false)
  private let undoing = Mutex(false)

  init(
    _ engine: EmbeddedEngine, _ change: Change, intent: Int64,
    progress: @escaping @Sendable (ActProgress) -> Void
  ) {
    self.engine = engine
    self.change = change
    self.intent = intent
    self.progress = progress
  }

  var uid: String { change.uid }

  /// Whether a step has begun, so that the world may have changed.
  var hasTouchedTheWorld: Bool { touched.withLock { $0 } }

  /// From now on a cancelled task doesn't stop the steps: they clear up.
  func beginUndoing() { undoing.withLock { $0 = true } }

  /// Does a step and commits that it is done.
  ///
  /// A cancelled act ends between two steps, but never in the middle of a removal.
  func step(_ name: String, _ body: @escaping @Sendable () throws -> Void) async throws {
    let label = try enter(name)
    try await engine.offload { [self] in
      try body()
      try record(name)
    }
    try engine.checkpoint("after \(label)")
  }

  /// As `step`, for what is asynchronous itself.
  func asyncStep(_ name: String, _ body: () async throws -> Void) async throws {
    let label = try enter(name)
    try await body()
    try await engine.offload { [self] in try record(name) }
    try engine.checkpoint("after \(label)")
  }

  private func enter(_ name: String) throws -> String {
    let isUndoing = undoing.withLock { $0 }
    if change.verb != .delete, !isUndoing { try Task.checkCancellation() }
    let verb = isUndoing ? "undo" : change.verb.rawValue
    let label = "\(verb) \(change.id.kind.rawValue) \(name)"
    try engine.checkpoint("before \(label)")
    touched.withLock { $0 = true }
    return label
  }

  private func record(_ name: String) throws {
    let intent = intent
    try engine.store.write { db in try Intent.record(db, intent, step: name) }
  }
}

/// How the resources of one kind are made, changed and removed.
///
/// `reserve` runs inside the transaction that commits the intent: it refuses what can't be done
/// and gives names, addresses and rows to what the steps are going to make. So whatever a step
/// leaves behind when it is cut short has its row.
protocol ResourceHandler: Sendable {
  func reserve(_ db: Database, _ change: Change, in engine: EmbeddedEngine) throws
  /// Brings the world to the new specification; each step can be done again.
  func carryOut(_ run: ActRun) async throws -> ActOutcome
  /// What is to be told of the resource once it is made.
  func details(_ db: Database, _ change: Change, in engine: EmbeddedEngine) throws -> JSONValue
  /// Removes what `carryOut` made, as far as it was made.
  func remove(_ run: ActRun) async throws
  /// Removes the rows that `reserve` made.
  func forget(_ db: Database, uid: String) throws
}

extension Kind {
  var handler: any ResourceHandler {
    switch self {
    case .storagePool: StoragePoolHandler()
    case .resourcePool: ResourcePoolHandler()
    case .network: NetworkHandler()
    case .securityGroup: SecurityGroupHandler()
    case .image: ImageHandler()
    case .volume: VolumeHandler()
    case .virtualMachine: MachineHandler()
    }
  }
}
