import EmbeddedEngine
import EngineInterface
import JSON
import Resources
import SystemIO
import Testing

@Suite("Pools, volumes and images")
struct StorageTests {
  @Test(
    "A volume of each format is what qemu-img says it is, grows, and never shrinks",
    arguments: ["qcow2", "raw"])
  func volumes(_ format: String) async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    try await engine.perform(.create(volume("data", format: format)))
    let made = try #require(try await engine.resource(.volume, "data"))
    let path = try #require(made.details["path"]?.string)
    #expect(try imageInfo(path, format)["virtual-size"] == .integer(1 << 20))

    let outcome = try await engine.perform(
      .update(volume("data", size: 3 << 20, format: format), restart: false))
    #expect(outcome.effect == .live)
    #expect(try imageInfo(path, format)["virtual-size"] == .integer(3 << 20))

    let error = await #expect(throws: EngineError.self) {
      try await engine.perform(
        .update(volume("data", size: 1 << 20, format: format), restart: false))
    }
    #expect(error?.message.contains("can't shrink") == true)
    let kept = try #require(try await engine.resource(.volume, "data"))
    #expect(kept.phase == .ready)
    #expect(kept.resource.spec["size"] == .integer(3 << 20))
    #expect(kept.uid == made.uid)
    #expect(kept.generation == made.generation + 1)

    try await engine.perform(.delete(ResourceID(.volume, "data")))
    #expect(!fileExists(path))
    #expect(try await engine.audit() == [])
  }

  @Test("A data file that is missing is told of by any act, and made anew only when asked to")
  func missingData() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    try await engine.perform(.create(volume("data")))
    let holder = machine("vm", disks: [disk("own", size: 1 << 20)])
    try await engine.perform(.create(holder))
    let files = try namesInDirectory(fixture.home + "/pools/default").filter {
      $0.hasSuffix(".qcow2")
    }
    for name in files { try removeFile("\(fixture.home)/pools/default/\(name)") }
    for resource in [volume("data", size: 2 << 20), holder] {
      // Once more, since the first failure leaves the resource incomplete.
      for act in [Act.update(resource, restart: false), .create(resource)] {
        let error = await #expect(throws: EngineError.self) { try await engine.perform(act) }
        #expect(error?.code == "missing-data")
        #expect(error?.help?.contains("--replace") == true)
      }
      try await engine.perform(.replace(resource))
    }
    #expect(try await engine.audit() == [])
  }

  @Test("Many first volumes at once share the making of their pool")
  func manyAtOnce() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in 0..<24 {
        group.addTask { try await engine.perform(.create(volume("data-\(index)"))) }
      }
      try await group.waitForAll()
    }
    #expect(try namesInDirectory(fixture.home + "/pools/default").count == 25)
  }

  @Test("A pool in a directory of its own goes with its directory; strangers' files stay")
  func pools() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    let path = fixture.root + "/fast/disks"
    try await engine.perform(.create(pool("fast", path: path)))
    try await engine.perform(.create(volume("data", pool: "fast")))
    #expect(try namesInDirectory(path).count == 2)

    let inUse = await #expect(throws: EngineError.self) {
      try await engine.perform(.delete(ResourceID(.storagePool, "fast")))
    }
    #expect(inUse?.code == "in-use")
    #expect(inUse?.message.contains("Volume/data") == true)

    try await engine.perform(.delete(ResourceID(.volume, "data")))
    try replaceFile(path + "/mine.txt", with: [1])
    try await engine.perform(.delete(ResourceID(.storagePool, "fast")))
    #expect(try namesInDirectory(path) == ["mine.txt"])
    #expect(try await engine.audit() == [])
  }

  @Test("A directory that belongs to another engine's pool is refused")
  func foreignPool() async throws {
    let one = try EngineFixture()
    defer { one.cleanUp() }
    let other = try EngineFixture()
    defer { other.cleanUp() }
    let path = one.root + "/shared"
    try await one.open().perform(.create(pool("mine", path: path)))
    let engine = try other.open()
    let error = await #expect(throws: EngineError.self) {
      try await engine.perform(.create(pool("theirs", path: path)))
    }
    #expect(error?.code == "in-use")
    #expect(try await engine.resource(.storagePool, "theirs") == nil)
  }

  @Test("The built-in pool is there again after it was changed and deleted")
  func builtInPool() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    try await engine.perform(.create(volume("data")))
    try await engine.perform(.update(resourcePool("default"), restart: false))
    #expect(try await engine.resource(.resourcePool, "default")?.isBuiltIn == false)
    try await engine.perform(.delete(ResourceID(.resourcePool, "default")))
    #expect(try await engine.resource(.resourcePool, "default")?.isBuiltIn == true)
    #expect(try await engine.audit() == [])
  }

  @Test("An image is sealed read only under its digest, and built again only for other inputs")
  func images() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    try await engine.perform(.create(image("base")))
    let made = try #require(try await engine.resource(.image, "base"))
    let digest = try #require(made.details["digest"]?.string)
    let path = try #require(made.details["path"]?.string)
    #expect(path == "\(fixture.home)/images/\(digest)/disk.raw")
    #expect(try Descriptor.open(path, .read).status().mode & 0o777 == 0o400)
    let sum = try run("/usr/bin/sha256sum", [path]).prefix(64)
    #expect(made.details["diskDigest"]?.string == String(sum))
    #expect(made.inputs == "inputs of \(made.resource.spec.text())")

    // The same inputs: nothing is built.
    let same = try await engine.perform(.update(image("base"), restart: false))
    #expect(same.effect == .none)
    #expect(try await engine.resource(.image, "base")?.details["digest"]?.string == digest)

    // Others: a new digest, and the old one goes since nothing uses it.
    try await engine.perform(.replace(image("base", tree: "/elsewhere")))
    let after = try #require(try await engine.resource(.image, "base"))
    #expect(after.details["digest"]?.string != digest)
    #expect(!fileExists("\(fixture.home)/images/\(digest)"))
    #expect(try await engine.audit() == [])
  }

  @Test("An image stays for as long as a disk is a clone of it, and then goes")
  func imageLife() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    try await engine.perform(.create(image("base")))
    let digest = try #require(
      try await engine.resource(.image, "base")?.details["digest"]?.string)
    try await engine.perform(
      .create(machine("vm", disks: [disk("root", image: "base", size: 2 << 20)])))
    let inUse = await #expect(throws: EngineError.self) {
      try await engine.perform(.delete(ResourceID(.image, "base")))
    }
    #expect(inUse?.message.contains("VirtualMachine/vm") == true)

    let overlay = try #require(
      try await engine.resource(.virtualMachine, "vm")?.details["disks"]?.array?.first?["path"]?
        .string)
    let info = try imageInfo(overlay, "qcow2")
    #expect(info["virtual-size"] == .integer(2 << 20))
    #expect(info["backing-filename"]?.string == "\(fixture.home)/images/\(digest)/disk.raw")
    #expect(info["backing-filename-format"] == "raw")

    try await engine.perform(.replace(image("base", tree: "/elsewhere")))
    #expect(fileExists("\(fixture.home)/images/\(digest)"))
    try await engine.perform(.delete(ResourceID(.virtualMachine, "vm")))
    #expect(!fileExists("\(fixture.home)/images/\(digest)"))
    try await engine.perform(.delete(ResourceID(.image, "base")))
    #expect(try namesInDirectory(fixture.home + "/images") == [])
    #expect(try await engine.audit() == [])
  }

  @Test("Two images of the same content share one directory until both are gone")
  func sharedImage() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    try await engine.perform(.create(image("one")))
    try await engine.perform(.create(image("two")))
    #expect(try namesInDirectory(fixture.home + "/images").count == 1)
    try await engine.perform(.delete(ResourceID(.image, "one")))
    #expect(try namesInDirectory(fixture.home + "/images").count == 1)
    try await engine.perform(.delete(ResourceID(.image, "two")))
    #expect(try namesInDirectory(fixture.home + "/images") == [])
  }

  @Test("Parents may not form a ring, and a pool must be there")
  func refusals() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    try await engine.perform(.create(resourcePool("a")))
    try await engine.perform(.create(resourcePool("b", parent: "a")))
    let ring = await #expect(throws: EngineError.self) {
      try await engine.perform(.update(resourcePool("a", parent: "b"), restart: false))
    }
    #expect(ring?.message.contains("ring") == true)
    let missing = await #expect(throws: EngineError.self) {
      try await engine.perform(.create(volume("data", pool: "nowhere")))
    }
    #expect(missing?.code == "not-found")
    #expect(try await engine.audit() == [])
  }
}

/// What `qemu-img info` says of a file.
func imageInfo(_ path: String, _ format: String) throws -> JSONValue {
  try JSONValue(
    parsing: run("/usr/bin/qemu-img", ["info", "-U", "--output=json", "-f", format, path]))
}

/// Runs a tool and gives its output; the test fails where the tool does.
func run(_ tool: String, _ arguments: [String]) throws -> String {
  let result = try SpawnRequest(tool, arguments, environment: ["LC_ALL=C"]).run(
    milliseconds: 60_000, host: .live())
  let errors = String(decoding: result.errorOutput, as: UTF8.self)
  #expect(result.end == .exited(0), "\(tool) \(arguments): \(errors)")
  return String(decoding: result.output, as: UTF8.self)
}
