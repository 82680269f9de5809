internal import CLinux
internal import Glibc

extension Descriptor {
  /// Whether somebody else holds a lock on any part of the file, as QEMU does on a guest's disks.
  ///
  /// It may change at once; only to tell people about what they forgot.
  public func isLocked() throws(SystemError) -> Bool {
    try checked("look for locks on", name) { clinux_is_locked(raw) } == 1
  }
}

/// An advisory lock on a file that dies with its process, whatever ends it.
///
/// An open-file-description lock (fcntl(2), F_OFD_SETLK): held by the open file, not by the process,
/// so that two holders in one process exclude each other too, and a process that is started with
/// the open file holds the lock from its first moment on.
public final class FileLock: Sendable {
  /// The open file that holds the lock.
  public let descriptor: Descriptor

  /// Takes the lock.
  ///
  /// - Parameter wait: wait for the holder; else a held lock is an error (`EAGAIN`).
  public init(_ path: String, exclusive: Bool = true, wait: Bool = false) throws(SystemError) {
    descriptor = try Descriptor.open(path, [.readWrite, .create])
    let raw = descriptor.raw
    try lastingStep("lock \(path)") { () throws(SystemError) in
      try checked("lock", path) { clinux_ofd_lock(raw, exclusive ? 1 : 0, wait ? 1 : 0) }
    }
  }

  /// Takes over the lock of an open file that this process was started with.
  ///
  /// - Throws: `SystemError` (`EAGAIN`) where another open file holds it.
  public init(handed descriptor: Descriptor) throws(SystemError) {
    self.descriptor = descriptor
    let raw = descriptor.raw
    try checked("lock", descriptor.name) { clinux_ofd_lock(raw, 1, 0) }
    // It was open for this program alone, not for those that it starts.
    try checked("keep", descriptor.name) { clinux_fcntl_int(raw, F_SETFD, FD_CLOEXEC) }
  }

  /// Whether anybody holds the lock of a file; the lock itself is left alone.
  public static func isHeld(_ path: String) throws(SystemError) -> Bool {
    do {
      return try Descriptor.open(path, .read).isLocked()
    } catch  where error.isNotFound {
      return false
    }
  }

  /// Takes the lock, waiting for a holder that may be about to vanish: a child that a process was
  /// starting when it died holds the lock until it has become its own program, or has ended.
  ///
  /// - Throws: `SystemError` (`EAGAIN`) where it is held all the time.
  public static func patient(
    _ path: String, milliseconds: Int, host: HostContext
  ) throws(SystemError) -> FileLock {
    let deadline = host.uptime() + UInt64(max(0, milliseconds)) * 1_000_000
    while true {
      do {
        return try FileLock(path)
      } catch {
        guard error.errno == EAGAIN, host.uptime() < deadline else { throw error }
      }
      usleep(5000)
    }
  }
}
