internal import Glibc

/// A system call that failed: what was attempted, on what, and the kernel's answer.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was attempted, as a verb: `open`, `write`.
  public let operation: String
  /// What it was attempted on: a path, a process id, a socket's name.
  public let object: String
  /// The kernel's error number.
  public let errno: Int32

  /// Records a failed call.
  public init(_ operation: String, _ object: String, errno: Int32) {
    self.operation = operation
    self.object = object
    self.errno = errno
  }

  /// The kernel's words for the error number.
  public var reason: String { String(cString: strerror(errno)) }

  /// The sentence a message is built on: `cannot open FILE: No such file or directory`.
  public var description: String { "cannot \(operation) \(object): \(reason)" }

  /// Whether the object was not there.
  public var isNotFound: Bool { errno == ENOENT }
  /// Whether the object was there already.
  public var alreadyExists: Bool { errno == EEXIST }
  /// Whether the disk or the quota is full.
  public var isOutOfSpace: Bool { errno == ENOSPC || errno == EDQUOT }
  /// Whether nobody listens at the address.
  public var isRefused: Bool { errno == ECONNREFUSED }
  /// Whether the other end of a connection is gone.
  public var isHungUp: Bool { errno == EPIPE || errno == ECONNRESET }
  /// Whether another holds it at the moment: a lock, a full queue.
  public var isBusy: Bool { errno == EAGAIN }
  /// Whether another listens at the address.
  public var isInUse: Bool { errno == EADDRINUSE }
  /// Whether the address is none of the host's own.
  public var isForeignAddress: Bool { errno == EADDRNOTAVAIL }
  /// Whether rights are missing.
  public var isDenied: Bool { errno == EACCES || errno == EPERM }
}

/// Runs a system call that answers -1 and errno, again when a signal interrupted it.
///
/// - Throws: `SystemError` naming the operation and the object.
@discardableResult
@inline(__always)
public func checked<Result: BinaryInteger>(
  _ operation: @autoclosure () -> String, _ object: @autoclosure () -> String,
  _ call: () -> Result
) throws(SystemError) -> Result {
  while true {
    let result = call()
    if result != -1 { return result }
    let number = Glibc.errno
    if number != EINTR { throw SystemError(operation(), object(), errno: number) }
  }
}
