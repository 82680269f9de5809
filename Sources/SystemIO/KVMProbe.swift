internal import CLinux
internal import Glibc

/// What came of running a counted loop in a KVM guest.
public enum KVMLoop: Hashable, Sendable {
  /// It ran; nanoseconds.
  case ran(nanoseconds: Int)
  /// The time was over first.
  case tooSlow(deadlineMilliseconds: Int32)
  /// KVM could not run it.
  case failed(SystemError)

  /// Runs the loop in a guest of its own, in 64-bit mode.
  ///
  /// Blocks the calling thread for at most the deadline.
  public static func run(iterations: UInt32, deadlineMilliseconds: Int32) -> KVMLoop {
    var step: UnsafePointer<CChar>?
    let took = clinux_kvm_loop(iterations, deadlineMilliseconds, &step)
    let number = errno
    if took >= 0 { return .ran(nanoseconds: took) }
    if took == -2 { return .tooSlow(deadlineMilliseconds: deadlineMilliseconds) }
    return .failed(
      SystemError(step.map { String(cString: $0) } ?? "run", "a KVM guest", errno: number))
  }
}
