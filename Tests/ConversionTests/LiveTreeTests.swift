import DiskImage
import Glibc
import JSON
import SystemIO
import TestSupport
import Testing

@testable import Conversion

/// A tree that changes, fails or is given up while it is read.
@Suite struct LiveTreeTests {
  private func makeTree(_ scratch: Scratch) throws -> String {
    let root = scratch.file("tree")
    let script = """
      set -e; mkdir -p "$1/etc"; cd "$1"; echo 'tmpfs /tmp tmpfs' > etc/fstab; echo s > small
      head -c 5000000 /dev/urandom > big; truncate -s 8M sparse; echo x >> sparse
      """
    try Tool.check("sh", ["-c", script, "sh", root])
    return root
  }

  /// Does something once, when a file is read at an offset.
  private final class Event: @unchecked Sendable {
    // Unchecked: the flag is touched under the lock only.
    private var isDone = false
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

    init() { pthread_mutex_init(lock, nil) }
    deinit { lock.deallocate() }

    func once(_ body: () throws -> Void) rethrows {
      pthread_mutex_lock(lock)
      defer { pthread_mutex_unlock(lock) }
      if isDone { return }
      isDone = true
      try body()
    }
  }

  @Test(
    "a file that can't be read to its end is dropped by name, and the disk is sound",
    arguments: [("small", 0), ("big", 0), ("big", 2 << 20), ("etc/fstab", 0), ("sparse", 8 << 20)])
  func unreadable(path: String, offset: Int) async throws {
    let scratch = try Scratch()
    let root = try makeTree(scratch)
    var converter = Converter(smallOptions(), host: .live())
    converter.readFile = { (file, buffer, position) throws(SystemError) in
      if file.name.hasSuffix("/\(path)") || path.hasSuffix("/" + file.name), position >= offset {
        throw SystemError("read", file.name, errno: EIO)
      }
      return try file.read(into: buffer, at: position)
    }
    let disk = scratch.file("disk.raw")
    let result = try await converter.convert(.directory(path: root), to: disk)
    #expect(result.report.dropped.map(\.path) == [path])
    #expect(result.report.dropped.first?.reason.contains("Input/output error") == true)
    #expect(result.report.exitCode == 6)
    let partition = try checkedPartition(of: disk, in: scratch)
    if path != "etc/fstab" {
      #expect(try debugfs(partition, "stat /\(path)").contains("File not found"))
    }
  }

  @Test(
    "a file that changes in the middle of its reading is reported, and the disk is sound",
    arguments: [
      ("truncate -s 2500000 big", "shrank from 5000000 to 2500000"),
      ("head -c 9000000 /dev/zero >> big", "grew from 5000000 to 14000000"),
      ("printf x | dd of=big conv=notrunc status=none", "written to"),
      ("truncate -s 0 big; mv big gone; mkfifo big", "shrank"),
    ])
  func changing(change: String, reason: String) async throws {
    let scratch = try Scratch()
    let root = try makeTree(scratch)
    let event = Event()
    var converter = Converter(smallOptions(), host: .live())
    converter.readFile = { (file, buffer, position) throws(SystemError) in
      if file.name.hasSuffix("big"), position >= 1 << 20 {
        event.once { _ = try? Tool.check("sh", ["-c", change], in: root) }
      }
      return try file.read(into: buffer, at: position)
    }
    let disk = scratch.file("disk.raw")
    let result = try await converter.convert(.directory(path: root), to: disk)
    let item = result.report.changed.first { $0.path == "big" }
    #expect(item?.reason.contains(reason) == true, "\(result.report.changed)")
    let partition = try checkedPartition(of: disk, in: scratch)
    #expect(try debugfs(partition, "stat /big").contains("Size: 5000000"))
  }

  @Test("a conversion given up at any read leaves nothing", arguments: [0, 1, 2, 3, 4])
  func cancelledWhileReading(count: Int) async throws {
    let scratch = try Scratch()
    let root = try makeTree(scratch)
    let reads = ReadCounter()
    var converter = Converter(smallOptions(), host: .live())
    let gate = Shared<Task<Conversion, any Error>?>(nil)
    converter.readFile = { (file, buffer, position) throws(SystemError) in
      if reads.next() == count { gate.wait { $0 }.cancel() }
      return try file.read(into: buffer, at: position)
    }
    let used = converter
    let task = Task { try await used.convert(.directory(path: root), to: scratch.file("disk")) }
    gate.withLock { $0 = task }
    await #expect(throws: ConversionCancelled.self) { _ = try await task.value }
    #expect(try namesInDirectory(scratch.path) == ["tree"])
  }

  private final class ReadCounter: Sendable {
    private let count = Shared(0)
    func next() -> Int {
      count.withLock {
        $0 += 1
        return $0 - 1
      }
    }
  }

  @Test("a rate limit holds, whatever the clock says", arguments: [1 << 20, 4 << 20])
  func rate(limit: Int) throws {
    let now = Shared<UInt64>(0)
    let meter = Meter(
      Cancellation(),
      uptime: {
        now.withLock {
          $0 += 50_000_000; return $0
        }
      }, rate: limit
    ) { _ in }
    for _ in 0..<8 { try meter.add(1 << 20) }
    let passed = now.withLock { $0 }
    // The first reading of the clock is the start.
    #expect(Double(meter.done) / (Double(passed - 50_000_000) / 1e9) <= Double(limit))
  }

  @Test("the report says how fast each phase was, and how much it read")
  func phases() async throws {
    let scratch = try Scratch()
    let root = try makeTree(scratch)
    let result = try await convert(
      .directory(path: root), smallOptions(), to: scratch.file("disk"))
    let phases = result.report.phases
    #expect(phases.map(\.name) == ["scan", "pack", "fix up", "finish", "synchronise"])
    #expect(phases[1].bytes ?? 0 >= 5_000_000 && phases[0].bytes == nil)
    #expect(result.report.json["phases"]?.array?[1]["bytesPerSecond"]?.integer ?? 0 > 0)
    #expect(result.report.text.contains("pack "))
  }
}
