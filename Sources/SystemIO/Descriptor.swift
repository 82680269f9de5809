internal import CLinux
internal import Glibc

/// An open file descriptor, closed when its last reference goes.
///
/// The number never changes and the kernel serialises calls on it, so that sharing it between
/// threads is safe; reads and writes at explicit offsets do not share a position.
public final class Descriptor: Sendable {
  /// The descriptor's number; valid as long as this object lives.
  public let raw: Int32
  /// What it is open on, for messages.
  public let name: String

  /// Takes ownership of an open descriptor.
  public init(owning raw: Int32, name: String) {
    self.raw = raw
    self.name = name
  }

  /// The process's standard error; never closed, since it lives as long as the process.
  public static let standardError = Descriptor(owning: STDERR_FILENO, name: "standard error")

  deinit {
    // Whatever had to be durable was synchronised before; there is nobody to tell here.
    _ = Glibc.close(raw)
  }

  /// How to open a file.
  public struct Mode: OptionSet, Sendable {
    /// The flags of open(2).
    public let rawValue: Int32
    /// Makes a mode of open(2)'s flags.
    public init(rawValue: Int32) { self.rawValue = rawValue }
    /// Read only.
    public static let read = Mode(rawValue: O_RDONLY)
    /// Write only.
    public static let write = Mode(rawValue: O_WRONLY)
    /// Read and write.
    public static let readWrite = Mode(rawValue: O_RDWR)
    /// Create where missing.
    public static let create = Mode(rawValue: O_CREAT)
    /// Fail where it exists.
    public static let exclusive = Mode(rawValue: O_EXCL)
    /// Empty it.
    public static let truncate = Mode(rawValue: O_TRUNC)
    /// Write at the end.
    public static let append = Mode(rawValue: O_APPEND)
    /// Only a directory.
    public static let directory = Mode(rawValue: O_DIRECTORY)
    /// Refuse a symbolic link in the last component.
    public static let noFollow = Mode(rawValue: O_NOFOLLOW)
    /// Do not wait for a FIFO's other end.
    public static let nonBlocking = Mode(rawValue: O_NONBLOCK)
  }

  /// Opens a path with close-on-exec.
  ///
  /// - Parameter permissions: of a file that is created.
  public static func open(
    _ path: String, _ mode: Mode, permissions: UInt32 = 0o600
  ) throws(SystemError) -> Descriptor {
    let isStep =
      LastingStep.isWatched
      && (mode.contains(.truncate) || mode.contains(.create) && !fileExists(path))
    if isStep { LastingStep.tell("before create \(path)") }
    let raw = try checked("open", path) {
      clinux_openat(AT_FDCWD, path, mode.rawValue | O_CLOEXEC, permissions)
    }
    if isStep { LastingStep.tell("after create \(path)") }
    return Descriptor(owning: raw, name: path)
  }

  /// The size in bytes.
  public func size() throws(SystemError) -> Int {
    var status = stat()
    try checked("stat", name) { fstat(raw, &status) }
    return Int(status.st_size)
  }

  /// Sets the size in bytes; what is added is a hole.
  public func truncate(to size: Int) throws(SystemError) {
    try lastingStep("resize \(name)") { () throws(SystemError) in
      try checked("resize", name) { ftruncate(raw, off_t(size)) }
    }
  }

  /// Reads up to `buffer.count` bytes; 0 means the end.
  public func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
    try checked("read", name) { Glibc.read(raw, buffer.baseAddress, buffer.count) }
  }

  /// Reads up to `buffer.count` bytes at an offset; 0 means the end.
  public func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(SystemError) -> Int {
    try checked("read", name) { pread(raw, buffer.baseAddress, buffer.count, off_t(offset)) }
  }

  /// Reads to the end.
  ///
  /// - Parameter limit: more than this is an error (`EFBIG`), so that no file exhausts memory.
  public func readAll(limit: Int) throws(SystemError) -> [UInt8] {
    var bytes: [UInt8] = []
    // What has no size, such as a pipe, or another soon, grows as it is read.
    var status = stat()
    if fstat(raw, &status) == 0 { bytes.reserveCapacity(min(limit, max(0, Int(status.st_size)))) }
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { chunk.deallocate() }
    while true {
      let count = try read(into: chunk)
      if count == 0 { return bytes }
      bytes += chunk[..<count]
      if bytes.count > limit { throw SystemError("read", name, errno: EFBIG) }
    }
  }

  /// Writes everything at the current position.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
    try writeStep(bytes) { part, _ in Glibc.write(raw, part.baseAddress, part.count) }
  }

  /// Writes everything at an offset.
  public func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(SystemError) {
    try writeStep(bytes) { part, done in
      pwrite(raw, part.baseAddress, part.count, off_t(offset + done))
    }
  }

  /// Writes all; while somebody watches in two halves, since a process may end in the middle.
  private func writeStep(
    _ bytes: UnsafeRawBufferPointer, _ call: (UnsafeRawBufferPointer, Int) -> Int
  ) throws(SystemError) {
    try lastingStep("write \(name)") { () throws(SystemError) in
      var done = 0
      let half = LastingStep.isWatched && bytes.count > 1 ? bytes.count / 2 : 0
      while done < bytes.count {
        let end = done < half ? half : bytes.count
        done += try checked("write", name) {
          call(UnsafeRawBufferPointer(rebasing: bytes[done..<end]), done)
        }
        if half > 0, done == half { LastingStep.tell("within write \(name)") }
      }
    }
  }

  /// Writes everything at the current position.
  public func write(_ bytes: [UInt8]) throws(SystemError) {
    try bytes.withUnsafeBufferPointer { buffer throws(SystemError) in
      try write(UnsafeRawBufferPointer(buffer))
    }
  }

  /// Lets what was written set out for stable storage, so that `synchronize` has less to wait for.
  ///
  /// Only a hint: what can't be started here is done, or fails, there.
  public func startWriteback() { _ = clinux_start_writeback(raw) }

  /// Waits until everything written is on stable storage.
  public func synchronize() throws(SystemError) {
    try checked("synchronise", name) { fsync(raw) }
  }
}
