public import JSON
public import SystemIO

/// Which accelerator guests get on this host, and why.
///
/// Holds for one boot of the host and one QEMU; whoever keeps it keeps those with it.
public struct AcceleratorChoice: Hashable, Sendable {
  /// The accelerator.
  public var accelerator: MachineSpec.Accelerator
  /// Why, for people.
  public var reason: String

  /// Records a choice.
  public init(accelerator: MachineSpec.Accelerator, reason: String) {
    self.accelerator = accelerator
    self.reason = reason
  }

  /// The choice as JSON.
  public var json: JSONValue {
    ["accelerator": .string(accelerator.rawValue), "reason": .string(reason)]
  }

  /// Reads what `json` gave.
  public init(_ reader: JSONReader) throws(JSONShapeError) {
    accelerator = try reader.member("accelerator").choice(MachineSpec.Accelerator.self)
    reason = try reader.member("reason").string()
  }

  private static let iterations: UInt32 = 50_000
  /// A processor does the loop in a tenth of a millisecond; an instruction emulator needs more than
  /// a hundred of them, which nothing can cut short on some hosts.
  private static let limitMilliseconds: Int32 = 25

  /// Finds out by running guest code, not by whether `/dev/kvm` opens; blocks for up to 6 s.
  public static func probe(_ qemu: QEMUBinary, host: HostContext) -> AcceleratorChoice {
    choose(
      runLoop(), qemuProblem: { qemu.problem(accelerator: "kvm", cpu: "host", host: host) })
  }

  private static func runLoop() -> KVMLoop {
    func once() -> KVMLoop {
      KVMLoop.run(iterations: iterations, deadlineMilliseconds: limitMilliseconds)
    }
    var loop = once()
    for _ in 0..<2 {
      // A busy host may have taken the processor away meanwhile; hardly three times in a row.
      guard case .tooSlow = loop else { break }
      loop = once()
    }
    return loop
  }

  /// The decision alone.
  static func choose(_ loop: KVMLoop, qemuProblem: () -> String?) -> AcceleratorChoice {
    switch loop {
    case .failed(let error):
      return AcceleratorChoice(accelerator: .tcg, reason: "KVM does not work: \(error)")
    case .tooSlow(let milliseconds):
      return AcceleratorChoice(
        accelerator: .tcg,
        reason: "KVM is there but emulates: \(iterations) rounds of a loop took more than "
          + "\(milliseconds) ms")
    case .ran(let nanoseconds):
      if let problem = qemuProblem() {
        return AcceleratorChoice(accelerator: .tcg, reason: "QEMU fails with KVM: \(problem)")
      }
      return AcceleratorChoice(
        accelerator: .kvm,
        reason: "KVM ran \(iterations) rounds of a loop in \(nanoseconds / 1000) µs")
    }
  }
}
