public import EngineInterface
internal import JSON
public import Resources

/// What came of waiting.
public struct WaitResult: Sendable, Hashable {
  /// The machines waited for, by address.
  public var machines: [MachineWait]

  /// Whether all are ready.
  public var isReady: Bool { machines.allSatisfy { $0.verdict == .ready } }

  /// The exit code: 0 where all are ready, 4 where the time was over for one, 1 where one ended.
  public var exitCode: Int32 {
    if isReady { return 0 }
    return machines.contains { $0.verdict == .timedOut } ? 4 : 1
  }
}

/// How far a machine is from being ready.
public struct MachineWait: Sendable, Hashable {
  /// What is to be said of the wait.
  public enum Verdict: Sendable, Hashable {
    /// It goes on.
    case waiting
    /// The machine is ready.
    case ready
    /// The time is over.
    case timedOut
    /// The guest ended and nobody starts it again.
    case ended
    /// There is no such machine.
    case gone
  }

  /// The machine.
  public var id: ResourceID
  /// What is to be said of the wait.
  public var verdict: Verdict
  /// What the machine does; nil where there is none.
  public var state: MachineStatus.State?
  /// What readiness waits for, or why the machine is in its state.
  public var reason: String?
  /// Addresses of the guest, as far as they are known.
  public var addresses: [String]
  /// How long it was waited for.
  public var waited: Duration

  init(
    _ id: ResourceID, _ stored: ObservedResource?, waited: Duration, timeout: Duration?
  ) {
    self.id = id
    self.waited = waited
    state = stored?.machine?.state
    reason = stored?.machine?.reason ?? stored?.reason
    addresses = stored?.machine?.addresses ?? []
    let own = stored?.resource.spec["readinessProbe"]?["timeout"]?.integer
    let limit = timeout ?? .seconds(own ?? Waiter.defaultTimeout)
    verdict =
      if stored?.machine == nil {
        .gone
      } else if stored?.machine?.isReady == true {
        .ready
      } else if state == .crashed {
        .ended
      } else if waited >= limit {
        .timedOut
      } else {
        .waiting
      }
  }

  /// Whether waiting for it is over.
  public var isOver: Bool { verdict != .waiting }

  /// What is missing, in one line: `VirtualMachine/web1 is Running: no answer on port 80`.
  public var sentence: String {
    guard let state else { return "\(id) does not exist" }
    if verdict == .ready {
      return "\(id) is ready"
        + (addresses.isEmpty ? "" : " at \(addresses.joined(separator: ", "))")
    }
    var text = "\(id) is \(state.rawValue)"
    if let reason { text += ": \(reason)" }
    if state == .running {
      text +=
        addresses.isEmpty
        ? "; no address is known" : "; addresses \(addresses.joined(separator: ", "))"
    }
    return text
  }

  /// Whether there is nothing new to tell.
  func isLike(_ other: MachineWait) -> Bool {
    (verdict, state, reason) == (other.verdict, other.state, other.reason)
      && addresses == other.addresses
  }
}
