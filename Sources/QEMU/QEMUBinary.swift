public import SystemIO

/// Why QEMU can't be used here, and how to mend it.
public struct QEMUError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong, and how to go on.
  public let description: String

  init(_ description: String) { self.description = description }
}

/// QEMU's system emulator, as it is installed.
public struct QEMUBinary: Hashable, Sendable {
  /// The oldest version whose command line and QMP are used here.
  public static let oldestVersion = Version(major: 7, minor: 2)
  /// The emulator's name.
  public static let name = "qemu-system-x86_64"

  /// A release's number.
  public struct Version: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The first number.
    public var major: Int
    /// The second number.
    public var minor: Int

    /// Makes a number.
    public init(major: Int, minor: Int) {
      self.major = major
      self.minor = minor
    }

    /// Reads the first line of `qemu --version`; nil where it is none.
    public init?(line: String) {
      let marker = "version "
      let words = line.split(separator: " ")
      guard line.contains("QEMU"), line.contains(marker),
        let index = words.firstIndex(of: "version"), index + 1 < words.endIndex
      else { return nil }
      let numbers = words[index + 1].split(separator: ".").prefix(2).compactMap { Int($0) }
      guard numbers.count == 2 else { return nil }
      self.init(major: numbers[0], minor: numbers[1])
    }

    /// The older comes first.
    public static func < (a: Version, b: Version) -> Bool {
      (a.major, a.minor) < (b.major, b.minor)
    }

    /// As written: `7.2`.
    public var description: String { "\(major).\(minor)" }
  }

  /// Where it is.
  public let path: String
  /// Its release.
  public let version: Version

  /// Finds QEMU and checks its version; blocks its thread for some ten milliseconds.
  ///
  /// - Parameters:
  ///   - path: its path, or a name looked for in `searchPath`.
  ///   - searchPath: directories separated by colons.
  public static func find(
    _ path: String = name, searchPath: String, host: HostContext
  ) throws(QEMUError) -> QEMUBinary {
    guard let found = findExecutable(path, searchPath: searchPath) else {
      throw QEMUError(
        "QEMU is not installed: there is no '\(path)' in \(searchPath); install qemu-system-x86")
    }
    let result: CapturedOutput
    do {
      result = try SpawnRequest(found, ["--version"], environment: ["LC_ALL=C"]).run(
        milliseconds: 10_000, host: host)
    } catch {
      throw QEMUError("\(error)")
    }
    let line = String(decoding: result.output.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    guard result.end == .exited(0), let version = Version(line: line) else {
      throw QEMUError("'\(found) --version' does not answer as QEMU does; reinstall it")
    }
    guard version >= oldestVersion else {
      throw QEMUError("\(found) is QEMU \(version); at least \(oldestVersion) is needed")
    }
    return QEMUBinary(path: found, version: version)
  }

  init(path: String, version: Version) {
    self.path = path
    self.version = version
  }

  /// Whether QEMU comes up with an accelerator and a processor; nil where it does, else why not.
  func problem(accelerator: String, cpu: String, host: HostContext) -> String? {
    do {
      let sockets = try StreamSocket.pair(name: "QMP")
      let pid = try SpawnRequest(
        path,
        [
          "-machine", "q35", "-accel", accelerator, "-cpu", cpu, "-nodefaults", "-no-user-config",
          "-display", "none", "-S", "-m", "64", "-chardev", "socket,id=qmp,fd=3", "-mon",
          "chardev=qmp,mode=control",
        ], environment: ["LC_ALL=C"], descriptors: [(target: 3, source: sockets.theirs)]
      ).spawn()
      let handle = try ProcessHandle(childID: pid, bootID: host.bootID)
      defer { end(handle) }
      return try greeting(sockets.ours, host)
    } catch {
      return "\(error)"
    }
  }

  private func greeting(_ socket: Descriptor, _ host: HostContext) throws -> String? {
    let client = try QMPClient(socket, host: host, milliseconds: 5000)
    _ = try client.execute("query-status")
    return nil
  }

  private func end(_ handle: ProcessHandle) {
    // Its own child: a signal and a wait can only fail where it is gone.
    try? handle.signal(9)
    _ = try? handle.wait()  // As above.
  }
}
