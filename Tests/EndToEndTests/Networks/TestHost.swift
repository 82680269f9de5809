import Glibc
import Subprocess
import SystemIO
import SystemPackage
import TestSupport
import Testing

/// A host of a test's own: network, mounts and processes that no other process sees.
///
/// A cable joins it to a `World`, where its default routes lead. All that runs there ends with it.
struct TestHost: Sendable {
  let scratch: Scratch
  let caller: Caller
  /// Its first process, as it is called outside.
  private let process: Int32
  /// What is there before ingot runs.
  private let atFirst: Contents

  /// What ingot could leave behind on a host.
  private struct Contents: Equatable {
    /// The processes' ids and commands.
    var processes: [Int32: [String]]
    /// Interfaces, routes, rules, namespaces that are kept.
    var kernel: String
  }

  /// Its addresses on the cable to the world.
  static let address = "192.0.2.1"
  static let address6 = "2001:db8:1::1"

  /// Whether there can be one here: who is not root needs a device for taps that anybody may open.
  static let isPossible = getuid() == 0 || access("/dev/net/tun", R_OK | W_OK) == 0

  /// Makes a host, does something on it, and ends it and what still runs there.
  static func with(
    _ caller: Caller, _ body: (TestHost, Ingot) async throws -> Void
  ) async throws {
    let scratch = try Scratch()
    try scratch.write("setup", setup)
    try scratch.write("world.py", World.program)
    let rights = getuid() == 0 ? [] : ["--user", "--map-root-user"]
    let words =
      rights + [
        "--net", "--mount", "--propagation", "private", "--pid", "--fork", "--mount-proc",
        "--kill-child", "bash", "setup",
      ]
    _ = try await Subprocess.run(
      .name("unshare"), arguments: Arguments(words), workingDirectory: FilePath(scratch.path),
      input: .none, output: .discarded, error: .discarded
    ) { execution in
      // It may have ended by itself; what else could be wrong the test has met.
      defer { try? execution.send(signal: .kill) }
      let process = try await firstProcess(of: execution.processIdentifier.value, scratch)
      let host = try await TestHost(scratch, caller, process)
      try await body(host, host.makeIngot())
    }
  }

  private static func firstProcess(of holder: Int32, _ scratch: Scratch) async throws -> Int32 {
    for _ in 0..<600 where !fileExists(scratch.file("ready")) {
      try await Task.sleep(for: .milliseconds(50))
    }
    let log = String(decoding: try readFile(scratch.file("log"), limit: 1 << 20), as: UTF8.self)
    try #require(fileExists(scratch.file("ready")), "the test's host is not there: \(log)")
    let children = try readFile("/proc/\(holder)/task/\(holder)/children", limit: 4096)
    return try #require(
      Int32(String(decoding: children, as: UTF8.self).filter { !$0.isWhitespace }))
  }

  private init(_ scratch: Scratch, _ caller: Caller, _ process: Int32) async throws {
    (self.scratch, self.caller, self.process) = (scratch, caller, process)
    atFirst = Contents(
      processes: try Self.processes(of: process), kernel: try await Self.kernel(process, scratch))
  }

  /// Runs a script on the host, with all rights there.
  @discardableResult
  func run(_ script: String, sourceLocation: SourceLocation = #_sourceLocation) async throws
    -> String
  {
    try await shell(
      script, in: scratch.path, by: Self.launcher(process, scratch), sourceLocation: sourceLocation)
  }

  /// Runs a script in the world.
  @discardableResult
  func inWorld(_ script: String, sourceLocation: SourceLocation = #_sourceLocation) async throws
    -> String
  {
    try await shell(
      script, in: scratch.path,
      by: Self.launcher(process, scratch) + ["nsenter", "--net=\(scratch.file("world"))"],
      sourceLocation: sourceLocation)
  }

  /// The processes that came since the host began, by their ids outside: each one's command.
  func processes() throws -> [Int32: [String]] {
    try Self.processes(of: process).filter { atFirst.processes[$0.key] == nil }
  }

  /// Expects that all is as it was when the host began.
  func expectNothingLeft(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let left = try processes()
    #expect(left.isEmpty, "left running: \(left)", sourceLocation: sourceLocation)
    let kernel = try await Self.kernel(process, scratch)
    #expect(kernel == atFirst.kernel, sourceLocation: sourceLocation)
    let files = try Ingot(home: home, directory: scratch.path).files().filter {
      $0.contains("/networks/") || $0.hasSuffix(".sock")
    }
    #expect(files.isEmpty, sourceLocation: sourceLocation)
  }
}

extension TestHost {
  private var home: String { scratch.file("home") }

  /// What runs a program on the host.
  private static func launcher(_ process: Int32, _ scratch: Scratch) -> [String] {
    let rights = getuid() == 0 ? [] : ["--user", "--preserve-credentials"]
    // Among other mounts the working directory is lost.
    return ["nsenter", "--target", "\(process)"] + rights + ["--net", "--mount", "--pid"]
      + ["env", "--chdir=\(scratch.path)"]
  }

  /// The built ingot with a home on this host, as the caller runs it.
  private func makeIngot() async throws -> Ingot {
    var ingot = Ingot(home: home, directory: scratch.path)
    ingot.launcher = Self.launcher(process, scratch) + caller.launcher
    try makeDirectories(home)
    if caller == .user {
      // The build's folder may be closed to others, so the programs are copied.
      let built = String(try Ingot.executable().dropLast("/ingot".count))
      try await shell(
        """
        cp \(built)/ingot \(built)/ingot-monitor \(built)/ingot-network .
        chmod 755 . ingot ingot-monitor ingot-network
        chown \(Caller.userID):\(Caller.userID) home
        """, in: scratch.path)
      ingot.program = scratch.file("ingot")
    }
    return ingot
  }

  private static func processes(of first: Int32) throws -> [Int32: [String]] {
    func namespace(_ id: Int32) -> String? {
      var buffer = [UInt8](repeating: 0, count: 64)
      let count = readlink("/proc/\(id)/ns/pid", &buffer, buffer.count)
      return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }
    let own = try #require(namespace(first), "the test's host has ended")
    var found: [Int32: [String]] = [:]
    for id in try namesInDirectory("/proc").compactMap(Int32.init) where namespace(id) == own {
      // It may end while it is looked at; one that ended and is not yet waited for has no command.
      guard let line = try? readFile("/proc/\(id)/cmdline", limit: 1 << 20), !line.isEmpty else {
        continue
      }
      found[id] = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
    return found
  }

  private static func kernel(_ process: Int32, _ scratch: Scratch) async throws -> String {
    try await shell(
      """
      ls /sys/class/net
      ip route; ip -6 route; ip rule; ip -6 rule
      nft list ruleset
      # Namespaces that are held by mounts.
      grep -o '/[^ ]* .* nsfs' /proc/self/mountinfo
      """, in: scratch.path, by: launcher(process, scratch))
  }

  /// What the host's first process does: it makes the host and the world, and waits for orphans.
  private static let setup = """
    set -euo pipefail
    exec 2> log
    mount -t sysfs sys /sys
    if mknod tun c 10 200; then
      chmod 666 tun
      mount --bind tun /dev/net/tun
    fi
    echo nameserver \(World.address) > resolv.conf
    mount --bind resolv.conf /etc/resolv.conf
    touch world
    unshare --net=world ip link set lo up
    world() { nsenter --net=world "$@"; }
    world ip address add \(World.address)/32 dev lo
    world ip address add \(World.address6)/128 dev lo nodad
    world ip link add world0 type veth peer name host0
    world ip link set world0 netns $$
    ip link set lo up
    # Root's networks route IPv6 through a host that is a router itself, and make none of it.
    echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
    ip address add \(address)/24 dev world0
    ip address add \(address6)/64 dev world0 nodad
    ip link set world0 up
    world ip address add 192.0.2.2/24 dev host0
    world ip address add 2001:db8:1::2/64 dev host0 nodad
    world ip link set host0 up
    ip route add default via 192.0.2.2
    ip route add default via 2001:db8:1::2
    world python3 world.py serve \(World.name) \(World.address) \(World.address6) &
    until python3 world.py get http://\(World.address); do sleep 0.1; done
    touch ready
    # Without a process that waits for orphans they would stay as zombies.
    while :; do sleep 600 & wait; done
    """
}
