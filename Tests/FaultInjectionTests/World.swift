import FaultScenarios
import Glibc
import SystemIO

/// What the host shows of a run: its processes and its files.
struct World {
  let root: String

  /// A process of the run.
  struct Process: Hashable, CustomStringConvertible {
    enum Role: Hashable { case command, monitor, network, guest }
    var id: Int32
    var role: Role
    /// The machine, or the network, it belongs to; empty for a command.
    var machine: String
    var description: String { "\(role) \(id) \(machine)" }
  }

  /// The processes whose arguments lie in the run's directory, by process id.
  func processes() throws -> [Process] {
    try namesInDirectory("/proc").compactMap { name -> Process? in
      guard let id = Int32(name), id != getpid() else { return nil }
      // A process may end while it is looked at; then it is none of ours any more.
      let line = (try? readFile("/proc/\(id)/cmdline", limit: 1 << 20)) ?? []
      guard isOurs(line) else { return nil }
      return process(id, line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) })
    }.sorted { $0.id < $1.id }
  }

  /// Whether a command line names the run's directory: told by the C library, since all processes
  /// of the host are looked at again and again.
  private func isOurs(_ line: [UInt8]) -> Bool {
    (line + [0]).withUnsafeBytes { line in
      let line = line.assumingMemoryBound(to: CChar.self)
      guard let start = line.baseAddress else { return false }
      var offset = 0
      while offset < line.count {
        if strstr(start + offset, root) != nil { return true }
        offset += strlen(start + offset) + 1
      }
      return false
    }
  }

  private func process(_ id: Int32, _ arguments: [String]) -> Process? {
    let program = arguments[0].split(separator: "/").last ?? ""
    if program == "fault-command" { return Process(id: id, role: .command, machine: "") }
    if program.hasSuffix("monitor"), arguments.count > 1 {
      let machine = arguments[1].split(separator: "/").last.map(String.init) ?? ""
      return Process(id: id, role: .monitor, machine: machine)
    }
    if program.hasPrefix("fault-network") || program.hasPrefix("dnsmasq"), arguments.count > 1 {
      return Process(id: id, role: .network, machine: network(of: arguments))
    }
    // Before it became QEMU it is a copy of its monitor, which is found above.
    guard let index = arguments.firstIndex(of: "-uuid"), index + 1 < arguments.count else {
      return nil
    }
    return Process(id: id, role: .guest, machine: arguments[index + 1])
  }

  /// The network whose directory is named among arguments.
  private func network(of arguments: [String]) -> String {
    let mark = Site.home(of: root) + "/networks/"
    for argument in arguments {
      guard let range = argument.firstRange(of: mark) else { continue }
      return String(argument[range.upperBound...].prefix(36))
    }
    return ""
  }

  /// Every path below a directory, sorted; what goes meanwhile is left out.
  func files(below directory: String) -> [String] {
    ((try? namesInDirectory(directory)) ?? []).flatMap { name -> [String] in
      let path = directory + "/" + name
      var status = stat()
      guard lstat(path, &status) == 0 else { return [] }
      return [path] + (status.st_mode & S_IFMT == S_IFDIR ? files(below: path) : [])
    }
  }

  /// What is below the engine's directory though it holds nothing.
  func remains() -> [String] {
    let home = Site.home(of: root)
    let usual = [
      "/state.db", "/state.db-wal", "/state.db-shm", "/lock", "/sessions", "/images", "/machines",
      "/networks", "/pools", "/pools/default", "/pools/default/.ingot-pool",
    ].map { home + $0 }
    return files(below: home).filter { path in
      !usual.contains(path) && !path.hasPrefix(home + "/sessions/")
    } + (fileExists(root + "/far") ? [root + "/far"] : [])
  }

  /// Whether somebody takes connections at a port of the host, given as `tcp:127.0.0.1:8080`.
  func answers(_ port: String) -> Bool {
    guard let number = port.split(separator: ":").last.flatMap({ UInt16($0) }) else { return false }
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = number.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return withUnsafeBytes(of: &address) { bytes in
      connect(
        socket, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress,
        socklen_t(bytes.count)) == 0
    }
  }

  /// The inode of a file; nil where there is none.
  func inode(_ path: String) -> UInt64? {
    var status = stat()
    return lstat(path, &status) == 0 ? UInt64(status.st_ino) : nil
  }
}
