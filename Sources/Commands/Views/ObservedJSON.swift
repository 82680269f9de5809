internal import EngineInterface
internal import JSON
internal import Manifests
internal import Resources
internal import SystemIO

/// Resources as JSON: the manifest, and the status that only the engine writes.
enum ObservedJSON {
  /// `{"format_version", "items": […]}`.
  static func list(_ resources: [ObservedResource]) -> JSONValue {
    ["format_version": "1.0", "items": .array(resources.map(one))]
  }

  /// One resource.
  static func one(_ observed: ObservedResource) -> JSONValue {
    var value = observed.resource.manifest
    var status: JSONValue = [
      "uid": .string(observed.uid), "generation": .integer(observed.generation),
      "created": .string(Timestamp(seconds: observed.created).description),
      "phase": .string(observed.phase.rawValue), "builtIn": .bool(observed.isBuiltIn),
      "set": JSONValue(observed.resource.set),
    ]
    if let reason = observed.reason { status["reason"] = .string(reason) }
    // A machine's is a digest of secrets, which is nobody's but the engine's.
    if observed.resource.id.kind == .image, let inputs = observed.inputs {
      status["inputs"] = .string(inputs)
    }
    status["conditions"] = .array(observed.conditions.map(json))
    if let machine = observed.machine { status["machine"] = json(machine) }
    if !observed.drift.isEmpty { status["drift"] = .array(observed.drift.map(json)) }
    if observed.details.object?.isEmpty == false { status["details"] = observed.details }
    value["status"] = status
    return value
  }

  private static func json(_ drift: Drift) -> JSONValue {
    [
      "path": .string(drift.path), "applied": drift.applied ?? .null,
      "actual": drift.actual ?? .null, "note": JSONValue(drift.note),
    ]
  }

  private static func json(_ machine: MachineStatus) -> JSONValue {
    [
      "state": .string(machine.state.rawValue), "ready": .bool(machine.isReady),
      "reason": JSONValue(machine.reason),
      "addresses": .array(machine.addresses.map(JSONValue.string)),
      "since": JSONValue(machine.since.map { Timestamp(seconds: $0).description }),
      "processID": JSONValue(machine.processID.map(Int.init)),
      "accelerator": JSONValue(machine.accelerator),
      "restartRequired": .array(machine.restartRequired.map(JSONValue.string)),
      "restarts": .integer(Int64(machine.restarts)), "agent": .bool(machine.hasAgent),
      "boot": machine.boot.map(json) ?? .null,
    ]
  }

  /// How far a guest came.
  static func json(_ boot: BootProgress) -> JSONValue {
    [
      "stage": .string(boot.stage.rawValue), "stuck": .bool(boot.isStuck),
      "sentence": .string(boot.sentence), "evidence": .string(boot.evidence),
    ]
  }

  private static func json(_ condition: Condition) -> JSONValue {
    [
      "type": .string(condition.name.rawValue), "status": .string(condition.status),
      "reason": .string(condition.reason),
    ]
  }
}
