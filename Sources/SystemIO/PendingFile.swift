internal import Glibc

/// A file being written under a temporary name beside its final one.
///
/// `commit()` makes it durable: the file is synchronised, renamed over the final name, and the
/// directory is synchronised, so that after a crash the final name holds either the old content
/// or the whole new one. Dropped without a commit, the temporary file is removed.
public final class PendingFile: Sendable {
  /// The final path.
  public let path: String
  /// Where the bytes go until the commit.
  public let temporaryPath: String
  /// Open for reading and writing.
  public let descriptor: Descriptor

  /// Begins a file that is to stand at `path`.
  ///
  /// A temporary file left by a process that was killed has the same name and is replaced.
  public init(
    replacing path: String, permissions: UInt32 = 0o600, suffix: String = ".partial"
  ) throws(SystemError) {
    self.path = path
    temporaryPath = path + suffix
    try removeFile(temporaryPath)
    descriptor = try Descriptor.open(
      temporaryPath, [.readWrite, .create, .exclusive], permissions: permissions)
  }

  deinit {
    // After a commit the name is gone; before it, what stands there is worthless.
    _ = unlink(temporaryPath)
  }

  /// Makes the content durable under the final name.
  public func commit() throws(SystemError) {
    try descriptor.synchronize()
    try renameFile(temporaryPath, to: path)
    try synchronizeDirectory(directoryName(path))
  }
}

/// Replaces a file's content durably; see `PendingFile`.
public func replaceFile(
  _ path: String, with bytes: [UInt8], permissions: UInt32 = 0o600
) throws(SystemError) {
  let file = try PendingFile(replacing: path, permissions: permissions)
  try file.descriptor.write(bytes)
  try file.commit()
}

/// Replaces the content of a file that is there, durably, and keeps its mode and its owner.
///
/// A symbolic link stays, the file that it leads to is replaced.
public func rewriteFile(_ path: String, with bytes: [UInt8]) throws(SystemError) {
  guard let resolved = realpath(path, nil) else {
    throw SystemError("resolve", path, errno: errno)
  }
  defer { free(resolved) }
  let target = String(cString: resolved)
  var status = stat()
  try checked("stat", path) { stat(target, &status) }
  let file = try PendingFile(replacing: target)
  let raw = file.descriptor.raw
  if status.st_uid != geteuid() || status.st_gid != getegid() {
    try checked("keep the owner of", path) { fchown(raw, status.st_uid, status.st_gid) }
  }
  try checked("keep the mode of", path) { fchmod(raw, status.st_mode & 0o7777) }
  try file.descriptor.write(bytes)
  try file.commit()
}
