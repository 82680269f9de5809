import Foundation
import Networking
import SystemIO
import TestSupport
import Testing

/// A network with a supervisor of its own; gone with this object.
final class TestNetwork {
  static let host = HostContext.live()

  /// Who the network belongs to.
  enum User: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case root
    /// An ordinary user who may open `/dev/net/tun`.
    case ordinary
    var testDescription: String { rawValue }
    var id: UInt32 { self == .root ? 0 : 65_534 }
  }

  let user: User
  let scratch: Scratch
  let directory: NetworkDirectory
  let executable: String
  var configuration: NetworkConfiguration

  init(_ user: User, _ configuration: NetworkConfiguration) throws {
    self.user = user
    self.configuration = configuration
    scratch = try Scratch()
    directory = NetworkDirectory(scratch.file("network"))
    try makeDirectories(directory.path, permissions: 0o700)
    let program = scratch.file("ingot-network")
    try FileManager.default.copyItem(
      atPath: BuiltProducts.path(of: "ingot-network"), toPath: program)
    if user == .root {
      executable = program
    } else {
      executable = scratch.file("as-user")
      try Tool.check("mknod", [scratch.file("tun"), "c", "10", "200"])
      try scratch.write(
        "as-user",
        """
        #!/bin/sh
        exec unshare --mount sh -c 'mount --bind \(scratch.file("tun")) /dev/net/tun &&
          exec setpriv --reuid \(user.id) --regid \(user.id) --clear-groups "$0" "$@"' \
          \(program) "$@"
        """)
      for path in [scratch.path, executable, program] { #expect(chmod(path, 0o755) == 0) }
      #expect(chmod(scratch.file("tun"), 0o666) == 0)
      // The launcher here is root, and makes what is missing.
      for path in [directory.lock, directory.log] { try replaceFile(path, with: []) }
    }
    try write()
    scratch.onEnd { [directory, executable] in
      // Whatever a failed test left, be it without its supervisor.
      guard fileExists(directory.gateProcess) else { return }
      try? connectNetwork(directory, executable: executable, host: Self.host).stop()
    }
  }

  /// Writes the configuration; `reload` puts it in effect.
  func write() throws {
    try configuration.write(directory)
    guard user != .root else { return }
    for name in try namesInDirectory(directory.path) {
      _ = chown(directory.path + "/" + name, user.id, user.id)
    }
    #expect(chown(directory.path, user.id, user.id) == 0)
  }

  func connect() throws -> NetworkClient {
    try connectNetwork(directory, executable: executable, host: Self.host)
  }

  /// The process id of a part: `gate`, `names`, `uplink`.
  func pid(_ name: String) throws -> Int32? {
    try connect().status().processes.first { $0.name == name }?.pid
  }

  /// The supervisor's process id: of who holds its socket's name in its arguments.
  func supervisor() throws -> Int32? {
    for name in try namesInDirectory("/proc") {
      // Processes come and go while the list is read.
      guard let pid = Int32(name),
        let line = try? readFile("/proc/\(pid)/cmdline", limit: 1 << 20)
      else { continue }
      if String(decoding: line, as: UTF8.self).contains("ingot-network\0serve\0\(directory.path)\0")
      {
        return pid
      }
    }
    return nil
  }

  /// Processes that are in a network namespace.
  func processes(in namespace: UInt64) throws -> [Int32] {
    try namesInDirectory("/proc").compactMap { Int32($0) }.filter { pid in
      // Processes come and go while the list is read.
      let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/net")
      return link == "net:[\(namespace)]"
    }
  }

  /// Waits for something that will come; the limit is for a test that fails.
  func eventually(
    _ what: String, seconds: Int = 5, _ condition: () throws -> Bool
  ) throws {
    let end = Self.host.uptime() + UInt64(seconds) * 1_000_000_000
    while true {
      // Until it is there, to ask for it may fail.
      if (try? condition()) == true { return }
      if Self.host.uptime() > end {
        _ = try condition()
        let log = (try? readFile(directory.log)) ?? []  // For the message alone.
        throw NetworkError("\(what) did not come; log: " + String(decoding: log, as: UTF8.self))
      }
      usleep(20_000)
    }
  }
}
