import Conversion
import SystemIO
import TestSupport
import Testing

/// What is mounted inside a source; only root may mount.
@Suite struct MountTests {
  /// Mounts a disk's file system on `data` and a tmpfs on `memory`; false where that is not allowed.
  private func mount(_ root: String, _ scratch: Scratch) throws -> Bool {
    for name in ["data", "memory"] { try makeDirectories("\(root)/\(name)") }
    try makeDirectories(scratch.file("other"))
    try scratch.write("other/file", "on another disk")
    // Of its own: a directory of the scratch's may be in memory too.
    let image = scratch.file("other.ext4")
    try Tool.check("mke2fs", ["-q", "-t", "ext4", "-d", scratch.file("other"), image, "8M"])
    let mounted = try Tool.run("mount", ["-o", "loop,ro", image, "\(root)/data"])
    if mounted.status != 0 { return false }
    scratch.onEnd { _ = try? Tool.run("umount", ["\(root)/data"]) }
    try Tool.check("mount", ["-t", "tmpfs", "none", "\(root)/memory"])
    scratch.onEnd { _ = try? Tool.run("umount", ["\(root)/memory"]) }
    try replaceFile("\(root)/memory/file", with: [1])
    return true
  }

  @Test("mounts are read only as asked, and memory never is")
  func mounts() async throws {
    let scratch = try Scratch()
    let root = try makeDebian(in: scratch)
    // Only root may mount; then there is nothing to be seen here.
    guard try mount(root, scratch) else { return }
    var options = smallOptions()
    func holds(_ path: String, _ options: ConversionOptions) async throws -> ConversionReport {
      let disk = scratch.file("disk")
      let result = try await convert(.directory(path: root), options, to: disk)
      let partition = try checkedPartition(of: disk, in: scratch)
      let isThere = !(try debugfs(partition, "stat /\(path)").contains("File not found"))
      #expect(isThere == (options.mounts == .read))
      #expect(try debugfs(partition, "stat /memory/file").contains("File not found"))
      #expect(result.report.excluded.contains { $0.path == "memory" })
      return result.report
    }
    let dropped = try await holds("data/file", options)
    #expect(dropped.dropped.map(\.path) == ["data"] && dropped.exitCode == 6)
    options.mounts = .leaveOut
    let leftOut = try await holds("data/file", options)
    #expect(leftOut.excluded.contains { $0.path == "data" } && leftOut.exitCode == 0)
    options.mounts = .read
    #expect(try await holds("data/file", options).exitCode == 0)
    options.mounts = .drop
    options.partitions = [PartitionRequest("/data", size: 16 << 20)]
    let mapped = try await convert(.directory(path: root), options, to: scratch.file("m"))
    #expect(mapped.report.dropped.isEmpty && mapped.report.image.partitions[0].target == "/data")
  }
}
