internal import CLinux
internal import Glibc

/// A program to start: no shell, and nothing inherited but what is named here.
public struct SpawnRequest: Sendable {
  /// Where the program's file is; it is not searched for.
  public var executable: String
  /// Its arguments, without the program's own name.
  public var arguments: [String]
  /// Its environment, as `NAME=value`.
  public var environment: [String]
  /// Its working directory; nil keeps the caller's.
  public var directory: String?
  /// What it has open: its descriptor number and ours.
  ///
  /// Every other descriptor is closed.
  public var descriptors: [(target: Int32, source: Descriptor)]
  /// Whether it leads a session of its own, so that no terminal's signals reach it.
  public var newSession: Bool
  /// Whether it outlives the caller as nobody's child, so that it is never a zombie here.
  public var detached: Bool
  /// What the child waits for before it becomes the program: one byte.
  ///
  /// It ends where the other end is closed before. So the process id is known, and can be recorded,
  /// before the program exists. The child is forked, and makes only calls that are safe beside other
  /// threads; not together with `detached`.
  public var gate: Descriptor?

  /// Names a program to start.
  public init(
    _ executable: String, _ arguments: [String], environment: [String] = [],
    directory: String? = nil, descriptors: [(target: Int32, source: Descriptor)] = [],
    newSession: Bool = true, detached: Bool = false, gate: Descriptor? = nil
  ) {
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
    self.directory = directory
    self.descriptors = descriptors
    self.newSession = newSession
    self.detached = detached
    self.gate = gate
  }

  /// Starts the program.
  ///
  /// Standard descriptors that are not named are connected to `/dev/null`.
  /// - Returns: its process id; of a child until it is waited for, so that it can't be another's.
  public func spawn() throws(SystemError) -> Int32 {
    let null = try Descriptor.open("/dev/null", .readWrite)
    var map = descriptors
    for standard in Int32(0)...2 where !map.contains(where: { $0.target == standard }) {
      map.append((target: standard, source: null))
    }
    var pid: Int32 = 0
    let result = lastingStep("start \(executable)") {
      withCStrings([executable] + arguments) { arguments in
        withCStrings(environment) { environment in
          clinux_spawn(
            executable, arguments, environment, directory, map.map(\.source.raw),
            map.map(\.target), Int32(map.count), newSession ? 1 : 0, detached ? 1 : 0,
            gate?.raw ?? -1, &pid)
        }
      }
    }
    if result != 0 { throw SystemError("start", executable, errno: result) }
    return pid
  }
}

private func withCStrings<Result>(
  _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
  var pointers = strings.map { strdup($0) }
  defer { for pointer in pointers { free(pointer) } }
  pointers.append(nil)
  return body(pointers)
}

/// A pipe: what is written to one end is read from the other; both are close-on-exec.
public func makePipe(name: String) throws(SystemError) -> (read: Descriptor, write: Descriptor) {
  var ends: [Int32] = [-1, -1]
  try checked("make pipe", name) { clinux_pipe(&ends) }
  return (
    read: Descriptor(owning: ends[0], name: name), write: Descriptor(owning: ends[1], name: name)
  )
}

/// Finds a program in the directories of a search path.
///
/// - Parameter searchPath: directories separated by colons, as in `PATH`.
public func findExecutable(_ name: String, searchPath: String) -> String? {
  if name.contains("/") { return access(name, X_OK) == 0 ? name : nil }
  for directory in searchPath.split(separator: ":") {
    let path = "\(directory)/\(name)"
    if access(path, X_OK) == 0 { return path }
  }
  return nil
}

/// The path of the program that this process runs; of a newer one where that has been replaced.
public func ownExecutable() throws(SystemError) -> String {
  let link = "/proc/self/exe"
  var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
  let count = try checked("read", link) { readlink(link, &buffer, buffer.count) }
  let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  let suffix = " (deleted)"
  return path.hasSuffix(suffix) ? String(path.dropLast(suffix.count)) : path
}
