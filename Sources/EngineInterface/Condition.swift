public import Resources

/// One of the yes-or-no things that are told of a resource, in the manner of Kubernetes.
public struct Condition: Sendable, Hashable {
  /// What it is about; a closed set.
  public enum Name: String, Sendable, Hashable, CaseIterable {
    /// The resource is as declared; of a machine, that its readiness probe succeeds.
    case ready = "Ready"
    /// Fields of a machine wait for its next boot.
    case restartRequired = "RestartRequired"
    /// A machine is stopped in its tracks.
    case paused = "Paused"
    /// The agent in a machine's guest is connected.
    case agentConnected = "AgentConnected"
    /// A machine's guest waits for somebody: a panic, a rescue mode, a prompt before the system.
    case stuck = "Stuck"
  }

  /// What it is about.
  public var name: Name
  /// Whether it is so.
  public var isTrue: Bool
  /// Why, in a sentence; empty where the status says it all.
  public var reason: String

  /// Makes a condition.
  public init(_ name: Name, _ isTrue: Bool, reason: String = "") {
    self.name = name
    self.isTrue = isTrue
    self.reason = reason
  }

  /// The status as Kubernetes writes it.
  public var status: String { isTrue ? "True" : "False" }
}

extension Condition.Name {
  /// The conditions that resources of a kind have.
  public static func all(of kind: Kind) -> [Condition.Name] {
    kind == .virtualMachine ? allCases : [.ready]
  }
}

extension ObservedResource {
  /// Its conditions, in the order of their names' list.
  public var conditions: [Condition] {
    guard let machine else {
      return [
        Condition(
          .ready, phase == .ready, reason: reason ?? (phase == .ready ? "" : phase.rawValue))
      ]
    }
    let isStuck = machine.boot?.isStuck == true
    return [
      Condition(.ready, machine.isReady, reason: machine.isReady ? "" : machine.explanation),
      Condition(
        .restartRequired, !machine.restartRequired.isEmpty,
        reason: machine.restartRequired.joined(separator: ", ")),
      Condition(.paused, machine.state == .paused),
      Condition(.agentConnected, machine.hasAgent),
      Condition(.stuck, isStuck, reason: isStuck ? machine.boot?.sentence ?? "" : ""),
    ]
  }
}

extension MachineStatus {
  /// Why it is not ready, as far as that is known, in a line: what its probe met last and how far
  /// the guest came.
  public var explanation: String {
    let parts = [reason, hasBooted ? nil : boot?.sentence].compactMap { $0 }
    return parts.isEmpty ? "it is \(state.rawValue)" : parts.joined(separator: "; ")
  }

  /// Whether the console says no more about readiness than that the system is up.
  var hasBooted: Bool { boot.map { $0.stage == .login || $0.stage == .unrecognized } ?? true }
}
