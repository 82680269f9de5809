import DiskImage
import Glibc
import Resources
import SystemIO
import TestSupport
import Testing

@testable import Conversion

/// What a tree may hold that tools stumble over, and what may become of it while it is read.
@Suite struct NastyTreeTests {
  /// Converts a tree and lays out beside it what debugfs finds in the image.
  private func roundTrip(
    _ root: String, _ scratch: Scratch
  ) async throws -> (report: ConversionReport, partition: String, copy: String) {
    let disk = scratch.file("disk.raw")
    let result = try await convert(.directory(path: root), smallOptions(.migrate), to: disk)
    let partition = try checkedPartition(of: disk, in: scratch)
    let copy = scratch.file("copy")
    try makeDirectories(copy)
    _ = try debugfs(partition, "rdump / \(copy)")
    return (result.report, partition, copy)
  }

  private func listing(_ root: String) throws -> String {
    let script = """
      cd "$1" && find . -mindepth 1 \\( -type f -o -type d -o -type l \\) -not -name lost+found \
      -printf '%P|%y|%s|%l\\0' | LC_ALL=C sort -z | grep -zav '|d|' | cat -v
      """
    return try Tool.check("sh", ["-c", script, "sh", root])
  }

  @Test("names of every sort arrive byte for byte")
  func names() async throws {
    let scratch = try Scratch()
    let root = scratch.file("tree")
    let script = """
      set -e; mkdir -p "$1/names" "$1/dev" "$1/proc" "$1/sys" "$1/run" "$1/tmp"; cd "$1/names"
      for name in "$(printf '%0255d' 0)" 'new\nline' 'back\\slash' 'trailing ' ' ' '-rf' \
        '*' '"' "'" "$(printf '\\303\\251')" "$(printf 'e\\314\\201')" "$(printf '\\377\\376')" \
        "$(printf '\\001\\033[31m')" '...' '~' '#x' '\\x41'; do printf %s "$name" > "$name"; done
      ln -s "$(printf '%04095d' 0 | sed 's/0/x/g')" longest || true
      ln -s "$(printf 'target\\377\\nline')" odd; ln odd odder; ln -s / absolute
      """
    try Tool.check("bash", ["-c", script.replacing("new\\nline", with: "new\nline"), "sh", root])
    let result = try await roundTrip(root, scratch)
    #expect(result.report.dropped.isEmpty && result.report.changed.isEmpty)
    let (inside, outside) = (try listing("\(result.copy)/names"), try listing("\(root)/names"))
    #expect(outside.split(separator: "^@").count > 18)
    #expect(inside == outside)
    #expect(try debugfs(result.partition, "stat /names/odder").contains("Links: 2"))
  }

  @Test("a path far deeper than PATH_MAX is kept, and reported names stay whole")
  func deep() async throws {
    let scratch = try Scratch()
    let root = scratch.file("tree")
    let script = """
      set -e; mkdir "$1"; cd "$1"; name=$(printf '%0200d' 0)
      for i in $(seq 40); do mkdir $name; cd -P $name 2>/dev/null || cd $name; done
      echo bottom > file
      """
    try Tool.check("bash", ["-c", script, "sh", root])
    let disk = scratch.file("disk.raw")
    let result = try await convert(.directory(path: root), smallOptions(), to: disk)
    #expect(result.report.counts.directories >= 41 && result.report.counts.files >= 1)
    #expect(result.report.exitCode == 0)
    _ = try checkedPartition(of: disk, in: scratch)
    try Tool.check("rm", ["-rf", root])
  }

  @Test("holes stay holes: a file of nothing else, one at the end, one at the front")
  func holes() async throws {
    let scratch = try Scratch()
    let root = scratch.file("tree")
    let script = """
      set -e; mkdir "$1"; cd "$1"; truncate -s 1G all; echo start > end; truncate -s 300M end
      truncate -s 200M front; echo end >> front; truncate -s 1 one
      """
    try Tool.check("sh", ["-c", script, "sh", root])
    let disk = scratch.file("disk.raw")
    let result = try await convert(.directory(path: root), smallOptions(), to: disk)
    let partition = try checkedPartition(of: disk, in: scratch)
    #expect(result.report.image.virtualSize < 200 << 20)
    for (name, size, blocks) in [("all", 1 << 30, 0), ("end", 300 << 20, 8), ("one", 1, 0)] {
      let status = try debugfs(partition, "stat /\(name)")
      #expect(status.contains("Size: \(size)\n"))
      #expect(status.contains("Blockcount: \(blocks)\n") || name == "one", "\(status)")
    }
    let front = try debugfs(partition, "stat /front")
    #expect(front.contains("Size: \((200 << 20) + 4)\n") && front.contains("Blockcount: 8\n"))
  }

  @Test("attributes that ext4 has no room for are dropped by name, the others kept")
  func attributes() async throws {
    let scratch = try Scratch()
    let root = scratch.file("tree")
    let script = """
      set -e; mkdir "$1"; cd "$1"; echo x > f
      setfattr -n user.empty f; setfattr -n "user.$(printf 'n\\303\\244me')" -v value f
      for i in $(seq 40); do setfattr -n user.number$i -v $i f; done
      """
    try Tool.check("bash", ["-c", script, "sh", root])
    let result = try await roundTrip(root, scratch)
    #expect(result.report.exitCode == 0)
    let status = try debugfs(result.partition, "stat /f")
    #expect(status.contains("user.empty (0)") && status.contains("user.number40 (2) = \"40\""))

    var extended = [(name: Array("user.big".utf8), value: [UInt8](repeating: 1, count: 65536))]
    extended.append((Array("user.small".utf8), [1]))
    extended.append((Array("user.other".utf8), [UInt8](repeating: 1, count: 4000)))
    extended.append((Array("system.posix_acl_access".utf8), [1, 2, 3]))
    extended.append((Array("nonsense".utf8), [1]))
    let reason = try #require(AttributePolicy.filter(&extended))
    #expect(extended.map(\.name) == [Array("user.small".utf8), Array("user.other".utf8)])
    for name in ["user.big", "nonsense", "system.posix_acl_access"] {
      #expect(reason.contains(name))
    }
  }

  @Test("a file called lost+found, sockets, whiteouts and directories of no rights are kept")
  func oddities() async throws {
    let scratch = try Scratch()
    let root = scratch.file("tree")
    let script = """
      set -e; mkdir -p "$1/closed/inner"; cd "$1"; echo mine > lost+found; echo x > closed/f
      if [ "$(id -u)" = 0 ]; then
        mknod whiteout c 0 0; echo y > owned; chown 4294967294:4294967294 owned; chmod 000 closed
      fi
      """
    try Tool.check("sh", ["-c", script, "sh", root])
    let address = "\(root)/socket"
    let socket = try listenOnSocket(address)
    defer { close(socket) }
    let result = try await roundTrip(root, scratch)
    #expect(result.report.exitCode == 0 && result.report.counts.pipesAndSockets == 1)
    #expect(try debugfs(result.partition, "cat /lost+found").contains("mine"))
    #expect(try debugfs(result.partition, "stat /socket").contains("Type: socket"))
    if fileExists("\(root)/owned") {
      // debugfs prints it with a sign.
      #expect(try debugfs(result.partition, "stat /owned").contains("User:    -2"))
      #expect(try debugfs(result.partition, "stat /whiteout").contains("character"))
    }
  }

  private func listenOnSocket(_ path: String) throws -> Int32 {
    let socket = try checked("open", "a socket") {
      Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    try #require(bytes.count < MemoryLayout.size(ofValue: address.sun_path))
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let size = socklen_t(MemoryLayout<sockaddr_un>.size)
    try checked("bind", path) {
      withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, size) }
      }
    }
    return socket
  }

  @Test("a file that no ext4 can hold is dropped; of more than 65,000 names some become a copy")
  func tooMuch() async throws {
    // Only memory holds so much that isn't there.
    let root = "/dev/shm/ingot-test-" + HostContext.live().makeUUID()
    try makeDirectories(root)
    // Nobody to tell.
    defer { try? removeTree(root) }
    let scratch = try Scratch()
    try replaceFile("\(root)/a", with: [1])
    for number in 1...65_000 {
      try checked("link", "\(number)") { link("\(root)/a", "\(root)/b\(number)") }
    }
    let disk = scratch.file("disk.raw")
    let result = try await convert(.directory(path: root), smallOptions(), to: disk)
    #expect(result.report.changed.count == 1 && result.report.exitCode == 6)
    #expect(result.report.changed.first?.reason.contains("65000") == true)
    _ = try checkedPartition(of: disk, in: scratch)

    for number in 1...65_000 { try removeFile("\(root)/b\(number)") }
    try Tool.check("truncate", ["-s", "9223372036854775807", "\(root)/huge"])
    let huge = try await convert(.directory(path: root), smallOptions(), to: disk)
    #expect(huge.report.dropped.map(\.path) == ["huge"] && huge.report.exitCode == 6)
    _ = try checkedPartition(of: disk, in: scratch)
  }
}
