public import EngineInterface
public import Resources

/// What came of waiting.
public struct WaitResult: Sendable, Hashable {
  /// The resources waited for, by address.
  public var resources: [ResourceWait]

  /// Whether all are as wanted.
  public var isMet: Bool { resources.allSatisfy { $0.verdict == .met } }

  /// The exit code: 0 where all are as wanted, 4 where the time was over for one, 1 where one can't
  /// become so any more.
  public var exitCode: Int32 {
    if isMet { return 0 }
    return resources.contains { $0.verdict == .timedOut } ? 4 : 1
  }
}

/// How far a resource is from what is waited for.
public struct ResourceWait: Sendable, Hashable {
  /// What is to be said of the wait.
  public enum Verdict: String, Sendable, Hashable {
    /// It goes on.
    case waiting
    /// The resource is as wanted.
    case met
    /// The time is over.
    case timedOut = "timed-out"
    /// The guest ended and nobody starts it again.
    case ended
    /// The guest waits for somebody to help it.
    case stuck
    /// There is no such resource.
    case gone
  }

  /// The resource.
  public var id: ResourceID
  /// What is to be said of the wait.
  public var verdict: Verdict
  /// What a machine does; nil for other kinds, and where there is none.
  public var state: MachineStatus.State?
  /// How far a machine's guest came, as its console tells.
  public var boot: BootProgress?
  /// What is still missing, a phrase each, the most telling first; empty where nothing is.
  public var missing: [String]
  /// Addresses of the guest, as far as they are known.
  public var addresses: [String]
  /// How long it was waited for.
  public var waited: Duration
  /// When it was first seen stuck, counted as `waited`.
  private var stuckSince: Duration?

  init(
    _ id: ResourceID, _ stored: ObservedResource?, _ goal: WaitGoal, waited: Duration,
    timeout: Duration?, before: ResourceWait?
  ) {
    self.id = id
    self.waited = waited
    let machine = stored?.machine
    state = machine?.state
    boot = machine?.boot
    addresses = machine?.addresses ?? []
    let isMet = goal.isMet(stored)
    missing = isMet ? [] : stored.map { Self.missing($0, goal) } ?? []
    if goal.needsGuest, boot?.isStuck == true { stuckSince = before?.stuckSince ?? waited }
    let isStuck = stuckSince.map { waited - $0 >= Waiter.settling } ?? false
    let isOver = waited >= timeout ?? goal.timeout(of: stored)
    verdict =
      if isMet {
        .met
      } else if stored == nil, !goal.bearsAbsence {
        .gone
      } else if goal.needsGuest, state == .crashed {
        .ended
      } else if isStuck {
        .stuck
      } else {
        isOver ? .timedOut : .waiting
      }
  }

  /// What stands between a resource and the goal.
  private static func missing(_ stored: ObservedResource, _ goal: WaitGoal) -> [String] {
    guard let machine = stored.machine, goal.needsGuest else { return [goal.found(stored)] }
    var phrases: [String] = []
    if let boot = machine.boot, boot.isStuck { phrases.append(boot.sentence) }
    if let reason = machine.reason ?? stored.reason { phrases.append(reason) }
    guard machine.state == .running else { return phrases }
    if let boot = machine.boot, !boot.isStuck, boot.stage != .login {
      phrases.append(boot.stage.sentence)
    }
    if !machine.hasAgent, !phrases.contains(where: { $0.contains("guest agent") }) {
      phrases.append("no guest agent is connected")
    }
    if machine.addresses.isEmpty { phrases.append("no address is known") }
    return phrases
  }

  /// Whether waiting for it is over.
  public var isOver: Bool { verdict != .waiting }

  /// What is missing, in one line: `VirtualMachine/web1 is Running: no answer on port 80`.
  public var sentence: String {
    switch verdict {
    case .gone: return "\(id) does not exist"
    case .met:
      return "\(id) is as wanted"
        + (addresses.isEmpty ? "" : " at \(addresses.joined(separator: ", "))")
    case .stuck, .ended, .timedOut, .waiting: break
    }
    let subject = state.map { "\(id) is \($0.rawValue)" } ?? "\(id)"
    return missing.isEmpty ? subject : "\(subject): \(missing.joined(separator: "; "))"
  }

  /// Whether there is nothing new to tell.
  func isLike(_ other: ResourceWait) -> Bool {
    (verdict, state, boot) == (other.verdict, other.state, other.boot)
      && missing == other.missing && addresses == other.addresses
  }
}
