import Conversion
import DiskImage
import Resources
import SystemIO
import TestSupport
import Testing

@Suite struct PartitionTests {
  private static let bootUUID = "11111111-2222-4333-8444-555555555555"
  private static let swapUUID = "99999999-2222-4333-8444-555555555555"

  /// A machine whose fstab has /boot and swap by UUID, and whose /home has files.
  private func makeMachine(_ scratch: Scratch) throws -> String {
    let root = try makeDebian(in: scratch)
    try replaceFile(
      "\(root)/etc/fstab",
      with: Array(
        """
        UUID=\(oldUUID) / ext4 noatime 0 1
        UUID=\(Self.bootUUID) /boot ext4 noatime,nodev 0 2
        UUID=\(Self.swapUUID) none swap sw 0 0

        """.utf8))
    try makeDirectories("\(root)/home/ann")
    try replaceFile("\(root)/home/ann/letter", with: [UInt8](repeating: 7, count: 3_000_000))
    try Tool.check("ln", ["\(root)/home/ann/letter", "\(root)/home/ann/again"])
    return root
  }

  private func sorted(_ root: String, _ scratch: Scratch) throws -> String {
    let tar = scratch.file("machine.tar")
    try Tool.check("tar", ["--format=posix", "--sort=name", "-cf", tar, "-C", root, "."])
    return tar
  }

  /// Takes a partition out of a raw disk.
  private func cut(_ number: Int, of disk: String) throws -> String {
    let table = try Tool.check("sfdisk", ["--dump", disk]).split(separator: "\n")
    let line = try #require(table.first { $0.hasPrefix("\(disk)\(number) ") })
    func field(_ name: String) throws -> Int {
      let value = try #require(line.firstRange(of: "\(name)="))
      let digits = line[value.upperBound...].drop { $0 == " " }.prefix { $0.isNumber }
      return try #require(Int(digits))
    }
    let file = "\(disk).\(number)"
    try Tool.check(
      "dd",
      [
        "if=\(disk)", "of=\(file)", "skip=\(try field("start"))", "count=\(try field("size"))",
        "conv=sparse",
      ])
    return file
  }

  @Test("partitions of their own hold what is theirs, and fstab names them by UUID")
  func partitions() async throws {
    let scratch = try Scratch()
    let root = try makeMachine(scratch)
    var options = smallOptions(.migrate)
    options.partitions = [
      PartitionRequest("/boot", size: 64 << 20), PartitionRequest("swap", size: 32 << 20),
      PartitionRequest("/home"),
    ]
    let disk = scratch.file("disk.raw")
    let result = try await convert(.directory(path: root), options, to: disk)
    #expect(result.report.exitCode == 0)
    let partitions = result.report.image.partitions
    #expect(partitions.map(\.target) == ["/boot", "swap", "/home", "/"])
    #expect(partitions.map(\.uuid)[0] == Self.bootUUID && partitions[3].uuid == oldUUID)
    try Tool.check("sfdisk", ["--verify", disk])
    let dump = try Tool.check("sfdisk", ["--dump", disk])
    let types = ["BC13C2FF", "0657FD6D", "933AC7E1", "4F68BCE3"]
    let found = dump.split(separator: "\n").filter { $0.contains("type=") }
    for (type, line) in zip(types, found) { #expect(line.contains("type=\(type)")) }

    let boot = try cut(1, of: disk)
    let home = try cut(3, of: disk)
    let rest = try cut(4, of: disk)
    for part in [boot, home, rest] { try Tool.check("e2fsck", ["-fn", part]) }
    let swap = try Tool.check("blkid", ["-p", "-o", "export", try cut(2, of: disk)])
    #expect(swap.contains("TYPE=swap") && swap.contains("UUID=\(Self.swapUUID)"))
    #expect(try debugfs(boot, "ls /").contains("vmlinuz-6.1.0-18-amd64"))
    #expect(try debugfs(home, "stat /ann/again").contains("Links: 2"))
    #expect(try debugfs(home, "stat /ann/letter").contains("Size: 3000000"))
    #expect(try debugfs(rest, "stat /home").contains("Type: directory"))
    #expect(!(try debugfs(rest, "ls /home").contains("ann")))
    #expect(!(try debugfs(rest, "ls /boot").contains("vmlinuz")))
    let fstab = try debugfs(rest, "cat /etc/fstab")
    #expect(fstab.contains("UUID=\(Self.bootUUID) /boot ext4 noatime,nodev 0 2\n"))
    #expect(fstab.contains("UUID=\(Self.swapUUID) none swap sw 0 0\n"))
    #expect(fstab.contains("UUID=\(partitions[2].uuid)\t/home\text4\tdefaults\t0\t2"))
  }

  @Test("from a sorted tar come the same partitions, byte for byte")
  func fromTar() async throws {
    let scratch = try Scratch()
    let root = try makeMachine(scratch)
    var options = smallOptions(.migrate)
    options.sourceDateEpoch = 1_900_000_000
    options.partitions = [
      PartitionRequest("/home", size: 64 << 20), PartitionRequest("swap", size: 16 << 20),
    ]
    let tree = try await convert(.directory(path: root), options, to: scratch.file("a.raw"))
    let archive = try sorted(root, scratch)
    let tar = try await convert(.archive(path: archive), options, to: scratch.file("b.raw"))
    #expect(tree.report.image.digest == tar.report.image.digest)
  }

  @Test("a template's partitions get new UUIDs, and other entries become comments")
  func template() async throws {
    let scratch = try Scratch()
    let root = try makeMachine(scratch)
    var options = smallOptions(.template)
    options.partitions = [PartitionRequest("/boot", size: 32 << 20)]
    let disk = scratch.file("disk.raw")
    let result = try await convert(.directory(path: root), options, to: disk)
    let boot = result.report.image.partitions[0].uuid
    #expect(boot != Self.bootUUID)
    let fstab = try debugfs(try cut(2, of: disk), "cat /etc/fstab")
    #expect(fstab.contains("UUID=\(boot)\t/boot\text4\tnoatime,nodev\t0\t2"))
    #expect(fstab.contains("# UUID=\(Self.swapUUID) none swap"))
  }

  @Test("a hard link from one partition into another becomes a copy that is reported")
  func linkAcross() async throws {
    let scratch = try Scratch()
    let root = try makeMachine(scratch)
    try Tool.check("ln", ["\(root)/home/ann/letter", "\(root)/usr/letter"])
    var options = smallOptions(.migrate)
    options.partitions = [PartitionRequest("/home", size: 64 << 20)]
    let disk = scratch.file("disk.raw")
    let result = try await convert(.directory(path: root), options, to: disk)
    #expect(result.report.changed.count == 1 && result.report.exitCode == 6)
    let rest = try cut(2, of: disk)
    try Tool.check("e2fsck", ["-fn", rest])
    #expect(try debugfs(rest, "stat /usr/letter").contains("Size: 3000000"))

    let archive = try sorted(root, scratch)
    let tar = try await convert(.archive(path: archive), options, to: scratch.file("b.raw"))
    #expect(tar.report.dropped.map(\.path) == ["usr/letter"])
  }

  @Test(
    "partitions that can't be are refused with what to do, and nothing is left",
    arguments: [
      ([("boot", 64)], "no place"), ([("/", 64)], "no place"), ([("/a/../b", 64)], "no place"),
      ([("/boot/", 64)], "no place"), ([("/boot", 8)], "16 MiB"),
      ([("/boot", 64), ("/boot", 64)], "two partitions"), ([("swap", nil)], "swap=1Gi"),
      ([("/home", 16)], "partition for /home"),
    ] as [([(String, Int?)], String)])
  func refused(wanted: [(String, Int?)], reason: String) async throws {
    let scratch = try Scratch()
    let root = try makeMachine(scratch)
    try Tool.check("truncate", ["-s", "20M", "\(root)/home/big"])
    try Tool.check("dd", ["if=/dev/urandom", "of=\(root)/home/big", "bs=1M", "count=20"])
    var options = smallOptions(.migrate)
    options.partitions = wanted.map { PartitionRequest($0.0, size: $0.1.map { $0 << 20 }) }
    let used = options
    let error = await #expect(throws: (any Error).self) {
      try await convert(.directory(path: root), used, to: scratch.file("disk"))
    }
    #expect(error.map { "\($0)".contains(reason) } == true, "\(String(describing: error))")
    #expect(try namesInDirectory(scratch.path) == ["debian"])
  }
}
