import EmbeddedEngine
import EngineInterface
import JSON
import Resources
import Synchronization
import SystemIO
import Testing

@Suite("Disks from outside as volumes")
struct AdoptionTests {
  private let fixture: EngineFixture
  private var source: String { fixture.root + "/outside.raw" }

  init() throws {
    fixture = try EngineFixture()
    let file = try Descriptor.open(fixture.root + "/outside.raw", [.write, .create])
    try file.truncate(to: 1 << 20)
    try [UInt8](repeating: 7, count: 4096).withUnsafeBytes { try file.write($0, at: 65_536) }
  }

  private func adopt(
    _ engine: EmbeddedEngine, _ volume: Resource, _ way: DiskAdoption.Way = .copy,
    from path: String? = nil
  ) async throws {
    _ = try await engine.adopt(volume, DiskAdoption(path: path ?? source, way: way)) { _ in }
  }

  private func path(_ engine: EmbeddedEngine, _ name: String) async throws -> String {
    try #require(try await engine.resource(.volume, name)?.details["path"]?.string)
  }

  @Test("are copied with their holes, or moved without a byte read; the volume is theirs")
  func ways() async throws {
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    let content = try readFile(source)
    try await adopt(engine, volume("copied", format: "raw"))
    let copy = try await path(engine, "copied")
    #expect(try readFile(copy) == content)
    #expect(try Descriptor.open(copy, .read).nextData(from: 0) != 0..<1 << 20)
    #expect(fileExists(source))
    let inode = try Descriptor.open(source, .read).status().inode
    try await adopt(engine, volume("moved", format: "raw"), .move)
    let moved = try Descriptor.open(try await path(engine, "moved"), .read).status()
    #expect(moved.inode == inode && moved.mode & 0o777 == 0o600)
    #expect(!fileExists(source))
    #expect(try await engine.audit() == [])
    try await engine.perform(.delete(ResourceID(.volume, "moved")))
    #expect(try await engine.audit() == [])
  }

  @Test("a raw disk without a whole number of sectors gets the missing bytes")
  func sectors() async throws {
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    try replaceFile(source, with: [UInt8](repeating: 1, count: 1000))
    await #expect(throws: EngineError.self) {
      try await adopt(engine, volume("v", size: 1024, format: "raw"), .move)
    }
    try await adopt(engine, volume("v", size: 1024, format: "raw"))
    #expect(
      try readFile(try await path(engine, "v")).suffix(24) == [UInt8](repeating: 0, count: 24)[...])
  }

  @Test("what leans on others, is damaged, in use, or not as declared is refused and left alone")
  func refused() async throws {
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    func image(_ name: String, _ options: [String]) throws -> String {
      let path = fixture.root + "/" + name
      let result = try SpawnRequest(
        "/usr/bin/qemu-img", ["create", "-q", "-f", "qcow2"] + options + [path, "1M"]
      ).run(milliseconds: 20_000, host: .live())
      try #require(
        result.end == .exited(0), "\(String(decoding: result.errorOutput, as: UTF8.self))")
      return path
    }
    let cases: [(String, Resource, String)] = [
      (try image("overlay", ["-b", source, "-F", "raw"]), volume("v"), "backing file"),
      (
        try image("data", ["-o", "data_file=\(fixture.root)/data.raw,data_file_raw=on"]),
        volume("v"), "another file"
      ),
      (source, volume("v"), "qcow2"),
      (source, volume("v", size: 2 << 20, format: "raw"), "1048576"),
      (fixture.root, volume("v", format: "raw"), "no regular file"),
      (fixture.root + "/none", volume("v", format: "raw"), "No such file"),
      ("/dev/null", volume("v", format: "raw"), "no regular file"),
    ]
    for (path, volume, words) in cases {
      for way in [DiskAdoption.Way.copy, .move] {
        let error = await #expect(throws: EngineError.self) {
          try await adopt(engine, volume, way, from: path)
        }
        #expect(error?.message.contains(words) == true, "\(error.map { "\($0)" } ?? "")")
        #expect(try await engine.resource(.volume, "v") == nil)
      }
    }
    let lock = try FileLock(source)
    let busy = await #expect(throws: EngineError.self) {
      try await adopt(engine, volume("v", format: "raw"))
    }
    #expect(busy?.code == "in-use")
    withExtendedLifetime(lock) {}
    try await engine.perform(.create(volume("there", format: "raw")))
    let exists = await #expect(throws: EngineError.self) {
      try await adopt(engine, volume("there", format: "raw"), .move)
    }
    #expect(exists?.code == "exists")
    #expect(fileExists(source))
    #expect(try await engine.audit() == [])
  }

  /// The names of an act's checkpoints.
  private final class Steps: Sendable {
    private let names = Mutex<[String]>([])
    var all: [String] { names.withLock { $0 } }
    func add(_ name: String) { names.withLock { $0.append(name) } }
  }

  /// The engine goes with the call, and its session with it.
  private func die(at step: String, _ way: DiskAdoption.Way) async throws {
    let dying = try fixture.open { if $0 == step { throw SimulatedDeath(step: step) } }
    await #expect(throws: SimulatedDeath.self) {
      try await adopt(dying, volume("v", format: "raw"), way)
    }
  }

  @Test("killed at any step nothing is lost, and doing it again completes it")
  func deaths() async throws {
    defer { fixture.cleanUp() }
    let content = try readFile(source)
    for way in [DiskAdoption.Way.copy, .move] {
      let steps = Steps()
      try replaceFile(source, with: content)
      try await adopt(
        fixture.open { steps.add($0) }, volume("v", format: "raw"), way)
      try await fixture.open().perform(.delete(ResourceID(.volume, "v")))
      for step in steps.all {
        try replaceFile(source, with: content)
        try await die(at: step, way)
        #expect(try readFile(source) == content, "\(step)")
        let next = try fixture.open()
        let isWhole = try await next.resource(.volume, "v")?.phase == .ready
        if !isWhole { try await adopt(next, volume("v", format: "raw"), way) }
        #expect(try readFile(try await path(next, "v")) == content, "\(step)")
        try await next.perform(.delete(ResourceID(.volume, "v")))
        #expect(try await next.audit() == [], "\(step)")
      }
    }
  }
}
