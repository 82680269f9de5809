internal import CLinux
internal import Glibc

/// Which process is meant, for ever: a bare process id is soon another process's.
public struct ProcessIdentity: Hashable, Sendable {
  /// The process id.
  public let pid: Int32
  /// When it started, in clock ticks since boot: field 22 of `/proc/PID/stat` (proc(5)).
  public let startTime: UInt64
  /// The host's boot it ran in.
  public let bootID: String

  /// Names a process by facts recorded earlier.
  public init(pid: Int32, startTime: UInt64, bootID: String) {
    self.pid = pid
    self.startTime = startTime
    self.bootID = bootID
  }

  /// Names a process that runs now.
  public init(running pid: Int32, bootID: String) throws(SystemError) {
    guard let facts = try processFacts(pid) else {
      throw SystemError("find process", "\(pid)", errno: ESRCH)
    }
    self.init(pid: pid, startTime: facts.startTime, bootID: bootID)
  }

  /// Opens the process; nil where it has ended.
  ///
  /// - Parameter currentBootID: the host's boot now; of another boot nothing is alive.
  public func open(currentBootID: String) throws(SystemError) -> ProcessHandle? {
    guard bootID == currentBootID else { return nil }
    let raw = clinux_pidfd_open(pid)
    if raw < 0 {
      let number = errno
      if number == ESRCH { return nil }
      throw SystemError("open process", "\(pid)", errno: number)
    }
    let descriptor = Descriptor(owning: raw, name: "process \(pid)")
    // Read after opening: where the start time is the recorded one, the descriptor names it too.
    guard let facts = try processFacts(pid), facts.startTime == startTime, !facts.isZombie else {
      return nil
    }
    return ProcessHandle(identity: self, descriptor: descriptor)
  }

  /// Whether the process lives; `unknown` where the kernel would not tell, which is never taken
  /// for dead.
  public func liveness(currentBootID: String) -> Liveness {
    do {
      return try open(currentBootID: currentBootID) == nil ? .dead : .alive
    } catch {
      return .unknown
    }
  }
}

/// Whether a process lives.
public enum Liveness: String, Sendable {
  /// It runs.
  case alive
  /// It has ended.
  case dead
  /// It can't be told.
  case unknown
}

/// How a process ended.
public enum ProcessEnd: Hashable, Sendable {
  /// It ended by itself with this status, 0 to 255.
  case exited(Int32)
  /// This signal killed it.
  case signalled(Int32)
}

/// An open process (pidfd_open(2)): it stays the same one whatever becomes of its number.
public final class ProcessHandle: Sendable {
  /// Which process it is.
  public let identity: ProcessIdentity
  /// Readable for poll(2) once the process has ended.
  public let descriptor: Descriptor

  /// Opens a child that has not been waited for, be it ended or not.
  ///
  /// Until it is waited for, its process id can't be another's. Where this fails the child is
  /// killed and waited for, so that none is left behind.
  public convenience init(childID pid: Int32, bootID: String) throws(SystemError) {
    let raw = clinux_pidfd_open(pid)
    let number = errno
    do throws(SystemError) {
      guard raw >= 0 else { throw SystemError("open process", "\(pid)", errno: number) }
      let descriptor = Descriptor(owning: raw, name: "process \(pid)")
      let identity = try ProcessIdentity(running: pid, bootID: bootID)
      self.init(identity: identity, descriptor: descriptor)
    } catch {
      // Its own child, not waited for: the number can be no other's.
      kill(pid, SIGKILL)
      var status: Int32 = 0
      waitpid(pid, &status, 0)
      throw error
    }
  }

  init(identity: ProcessIdentity, descriptor: Descriptor) {
    self.identity = identity
    self.descriptor = descriptor
  }

  /// Sends a signal; a process that has ended already is no error.
  public func signal(_ number: Int32) throws(SystemError) {
    try lastingStep("signal \(number)") { () throws(SystemError) in
      if clinux_pidfd_send_signal(descriptor.raw, number) < 0, errno != ESRCH {
        throw SystemError("signal process", "\(identity.pid)", errno: errno)
      }
    }
  }

  /// Whether it has ended; a zombie has.
  public func hasEnded() throws(SystemError) -> Bool {
    var entries = [PollEntry(descriptor.raw, wantsRead: true)]
    try poll(&entries, milliseconds: 0)
    return entries[0].isReady
  }

  /// Waits for the end of a child and takes its status; nil while it runs and `noHang` is set.
  ///
  /// - Throws: `SystemError` with `ECHILD` for a process that is not this one's child.
  public func wait(noHang: Bool = false) throws(SystemError) -> ProcessEnd? {
    var code: Int32 = 0
    var status: Int32 = 0
    let raw = descriptor.raw
    let ended = try checked("wait for process", "\(identity.pid)") {
      clinux_waitid_pidfd(raw, noHang ? 1 : 0, &code, &status)
    }
    if ended == 0 { return nil }
    return code == Int32(CLD_EXITED) ? .exited(status) : .signalled(status)
  }
}

private func processFacts(
  _ pid: Int32
) throws(SystemError) -> (startTime: UInt64, isZombie: Bool)? {
  let bytes: [UInt8]
  do {
    bytes = try readFile("/proc/\(pid)/stat", limit: 4096)
  } catch  where error.isNotFound || error.errno == ESRCH {
    return nil
  }
  // The second field is the program's name in parentheses and may hold anything, even ")".
  guard let close = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
  let fields = String(decoding: bytes[(close + 1)...], as: UTF8.self).split(separator: " ")
  guard fields.count > 19, let start = UInt64(fields[19]) else { return nil }
  return (start, fields[0] == "Z" || fields[0] == "X")
}

/// Lets this process have as many descriptors open as its hard limit allows, at most `most`.
///
/// The limit is that of the whole process, so that its executable decides about it; what it starts
/// has the same one.
public func allowOpenDescriptors(_ most: UInt) throws(SystemError) {
  let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
  var limit = rlimit()
  try checked("read the limit of", "open descriptors") { getrlimit(resource, &limit) }
  let wanted = min(limit.rlim_max, most)
  guard limit.rlim_cur < wanted else { return }
  limit.rlim_cur = wanted
  try checked("raise the limit of", "open descriptors") { setrlimit(resource, &limit) }
}
