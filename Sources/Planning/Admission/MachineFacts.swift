internal import EngineInterface
internal import JSON
internal import Resources

/// What admission and effects need to know of a machine, read without decoding all of it.
struct MachineFacts {
  var pool: String
  var runStrategy: MachineSpecification.RunStrategy
  /// Processors at most.
  var cpus: Int64
  /// Whether the specification names that maximum.
  var hasMaximum: Bool
  var memory: Int64
  var cpuReservation: Int64
  var memoryReservation: Int64

  init(_ spec: JSONValue) {
    pool = spec["resourcePool"]?.string ?? "default"
    runStrategy = RunCorrection.strategy(of: spec)
    let cpu = spec["cpu"]
    cpus = max(cpu?["count"]?.integer ?? 1, cpu?["max"]?.integer ?? 0)
    hasMaximum = cpu?["max"]?.integer != nil
    cpuReservation = cpu?["reservation"]?.integer ?? 0
    let memory = spec["memory"]
    self.memory = memory?["guest"]?.integer ?? 0
    memoryReservation = memory?["reservation"]?.integer ?? 0
  }

  /// Whether the machine takes memory and CPU once the plan is done.
  func willRun(_ status: MachineStatus?) -> Bool {
    switch runStrategy {
    case .always: true
    case .halted: false
    // One that isn't there yet is started when it is made.
    case .rerunOnFailure: status.map { $0.state.hasGuest || $0.state == .crashed } ?? true
    case .manual: status?.state.hasGuest ?? false
    }
  }
}

/// What brings a machine to its run strategy.
enum RunCorrection {
  case start
  case stop

  /// What the run strategy asks for where the machine does something else.
  init?(_ spec: JSONValue, _ state: MachineStatus.State) {
    // Most machines run and shall; the specification is looked at last, for it takes longest.
    switch state {
    case .stopping: return nil
    case .halted, .crashed:
      switch RunCorrection.strategy(of: spec) {
      case .always: self = .start
      case .rerunOnFailure where state == .crashed: self = .start
      default: return nil
      }
    case .starting, .running, .paused, .backOff, .unresponsive:
      guard RunCorrection.strategy(of: spec) == .halted else { return nil }
      self = .stop
    }
  }

  /// The run strategy of a machine's specification.
  static func strategy(of spec: JSONValue) -> MachineSpecification.RunStrategy {
    spec["runStrategy"]?.string.flatMap(MachineSpecification.RunStrategy.init(rawValue:)) ?? .always
  }
}

extension MachineStatus.State {
  /// Whether there is a guest that could notice a change.
  var hasGuest: Bool {
    switch self {
    case .starting, .running, .paused, .stopping, .unresponsive: true
    case .halted, .crashed, .backOff: false
    }
  }
}
