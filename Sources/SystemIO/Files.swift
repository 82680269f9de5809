internal import Glibc

/// Reads a whole file.
///
/// - Parameter limit: a larger file is an error (`EFBIG`).
public func readFile(_ path: String, limit: Int = 1 << 26) throws(SystemError) -> [UInt8] {
  try Descriptor.open(path, .read).readAll(limit: limit)
}

/// Whether anything stands at the path; a dangling symbolic link counts.
public func fileExists(_ path: String) -> Bool {
  var status = stat()
  return lstat(path, &status) == 0
}

/// Makes a directory and the ones above it; one that is there already is left as it is.
public func makeDirectories(_ path: String, permissions: UInt32 = 0o755) throws(SystemError) {
  let number = makeOneDirectory(path, permissions)
  if number == 0 { return }
  if number == EEXIST {
    var status = stat()
    try checked("stat", path) { stat(path, &status) }
    if status.st_mode & S_IFMT == S_IFDIR { return }
  }
  guard number == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
    throw SystemError("make directory", path, errno: number)
  }
  try makeDirectories(String(path[..<slash]), permissions: permissions)
  let again = makeOneDirectory(path, permissions)
  if again != 0, again != EEXIST { throw SystemError("make directory", path, errno: again) }
}

/// - Returns: 0, or errno(3).
private func makeOneDirectory(_ path: String, _ permissions: UInt32) -> Int32 {
  // What is there already is no step.
  if LastingStep.isWatched, fileExists(path) { return EEXIST }
  return lastingStep("make directory \(path)") {
    mkdir(path, mode_t(permissions)) == 0 ? 0 : errno
  }
}

/// Removes a file; one that is not there is no error.
public func removeFile(_ path: String) throws(SystemError) {
  if LastingStep.isWatched, !fileExists(path) { return }
  try lastingStep("remove \(path)") { () throws(SystemError) in
    if unlink(path) != 0, errno != ENOENT { throw SystemError("remove", path, errno: errno) }
  }
}

/// Renames a file over whatever stands at the new name; `synchronizeDirectory` makes it durable.
public func renameFile(_ path: String, to newPath: String) throws(SystemError) {
  try lastingStep("rename to \(newPath)") { () throws(SystemError) in
    try checked("rename", "\(path) to \(newPath)") { rename(path, newPath) }
  }
}

/// Removes a directory and all below it, following no symbolic link; nothing there is no error.
public func removeTree(_ path: String) throws(SystemError) {
  var status = stat()
  if lstat(path, &status) != 0 {
    if errno == ENOENT { return }
    throw SystemError("stat", path, errno: errno)
  }
  guard status.st_mode & S_IFMT == S_IFDIR else { return try removeFile(path) }
  for name in try namesInDirectory(path) { try removeTree(path + "/" + name) }
  try lastingStep("remove \(path)") { () throws(SystemError) in
    if rmdir(path) != 0, errno != ENOENT { throw SystemError("remove", path, errno: errno) }
  }
}

/// The names in a directory, sorted, without `.` and `..`.
///
/// For the project's own directories, whose names are text; guest trees are read as bytes.
public func namesInDirectory(_ path: String) throws(SystemError) -> [String] {
  guard let stream = opendir(path) else { throw SystemError("read directory", path, errno: errno) }
  defer { closedir(stream) }
  var names: [String] = []
  errno = 0
  while let entry = readdir(stream) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    if name != "." && name != ".." { names.append(name) }
  }
  if errno != 0 { throw SystemError("read directory", path, errno: errno) }
  return names.sorted()
}

/// Makes a rename or a removal in a directory durable.
public func synchronizeDirectory(_ path: String) throws(SystemError) {
  try Descriptor.open(path.isEmpty ? "." : path, [.read, .directory]).synchronize()
}

/// The directory part of a path; `.` where it has none.
public func directoryName(_ path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}
