public import EngineInterface
internal import GRDB
internal import JSON
internal import Resources

struct MachineHandler: ResourceHandler {
  func reserve(_ db: Database, _ change: Change, in engine: EmbeddedEngine) throws {}
  func carryOut(_ run: ActRun) async throws -> ActOutcome { ActOutcome() }
  func details(_ db: Database, _ change: Change, in engine: EmbeddedEngine) throws -> JSONValue {
    [:]
  }
  func remove(_ run: ActRun) async throws {}
  func forget(_ db: Database, uid: String) throws {}
}
extension EmbeddedEngine {
  func startMachine(_ id: ResourceID) async throws -> ActOutcome { ActOutcome() }
  func stopMachine(_ id: ResourceID, grace: Int?) async throws -> ActOutcome { ActOutcome() }
  func examineMachines() throws -> [String: MachineStatus] { [:] }
  func growInGuest(_ disk: StoredDisk, to size: Int) throws -> Bool { false }
  public func control(_ machine: String, _ verb: MachineVerb) async throws {}
  public func execute(_ machine: String, _ arguments: [String], input: [UInt8], timeout: Int)
    async throws
    -> GuestCommandResult
  { GuestCommandResult(exitCode: 0, output: [], errors: []) }
}
