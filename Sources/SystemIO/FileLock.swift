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
/// An open-file-description lock (fcntl(2), F_OFD_SETLK): held by this object, not by the process,
/// so that two holders in one process exclude each other too.
public final class FileLock: Sendable {
  private let descriptor: Descriptor

  /// Takes the lock.
  ///
  /// - Parameter wait: wait for the holder; else a held lock is an error (`EAGAIN`).
  public init(_ path: String, exclusive: Bool = true, wait: Bool = false) throws(SystemError) {
    descriptor = try Descriptor.open(path, [.readWrite, .create])
    let raw = descriptor.raw
    try checked("lock", path) { clinux_ofd_lock(raw, exclusive ? 1 : 0, wait ? 1 : 0) }
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
