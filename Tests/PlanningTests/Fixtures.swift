import Diagnostics
import EngineInterface
import JSON
import Planning
import Resources
import TestSupport

/// Short ways to write states in tables.
enum Make {
  static let mebi: Int64 = 1 << 20
  static let gibi: Int64 = 1 << 30

  static let image = Resource.normalized(
    .image, "debian", ["source": ["archive": ["path": "/srv/debian.tar"]]])

  static func machine(_ name: String = "web", _ spec: JSONValue = [:]) -> Resource {
    var spec = spec
    if spec["disks"] == nil { spec["disks"] = [["name": "root", "image": "debian"]] }
    return .normalized(.virtualMachine, name, spec)
  }

  static func machine(_ name: String, memory: Int64, pool: String = "default") -> Resource {
    machine(name, ["memory": ["guest": .integer(memory)], "resourcePool": .string(pool)])
  }

  static func pool(
    _ name: String, parent: String? = nil, memory: JSONValue = [:], cpu: JSONValue = [:]
  ) -> Resource {
    var spec: JSONValue = ["memory": memory, "cpu": cpu]
    if let parent { spec["parent"] = .string(parent) }
    return .normalized(.resourcePool, name, spec)
  }

  static func stored(
    _ resource: Resource, _ state: MachineStatus.State = .running,
    phase: ObservedResource.Phase = .ready, reason: String? = nil, inputs: String? = nil,
    restartRequired: [String] = []
  ) -> ObservedResource {
    let isMachine = resource.id.kind == .virtualMachine
    var resource = resource
    resource.set = resource.set ?? PlanOptions.defaultSet
    return ObservedResource(
      resource, uid: resource.id.description, phase: phase, reason: reason, inputs: inputs,
      machine: isMachine ? MachineStatus(state: state, restartRequired: restartRequired) : nil)
  }

  static func observed(
    _ stored: [ObservedResource] = [],
    host: HostCapacity = HostCapacity(cpuMillicores: 64_000, memory: 1 << 40),
    unsupported: [ObservedState.Unsupported] = []
  ) -> ObservedState {
    let builtIn = MemoryEngine.builtIn.map { ObservedResource($0, uid: "b", isBuiltIn: true) }
    let own = Set(stored.map(\.resource.id))
    return ObservedState(
      engineID: "e", generation: 7,
      resources: builtIn.filter { !own.contains($0.resource.id) } + stored, host: host,
      unsupported: unsupported)
  }

  static func plan(
    _ desired: [Resource], over stored: [ObservedResource] = [], inputs: [ResourceID: String] = [:],
    host: HostCapacity = HostCapacity(cpuMillicores: 64_000, memory: 1 << 40),
    allowRestart: Bool = false, allowReplace: Bool = false, replace: Set<ResourceID> = [],
    prune: Bool = false, set: String = PlanOptions.defaultSet, takeOver: Bool = false
  ) -> Plan {
    Planner.plan(
      desired: DesiredState(resources: desired, inputs: inputs),
      observed: observed(stored, host: host),
      options: PlanOptions(
        allowRestart: allowRestart, allowReplace: allowReplace, replace: replace, prune: prune,
        set: set, takeOver: takeOver))
  }
}

extension Plan {
  /// The plan in words: `update VirtualMachine/web live`.
  var words: [String] {
    actions.map { "\($0.act.verb) \($0.id) \($0.effect.word)" }
  }

  /// The refusals in words: `create VirtualMachine/web host-memory`.
  var refusals: [String] {
    refused.map { "\($0.verb) \($0.id) \($0.diagnostic.code.rawValue)" }
  }
}
