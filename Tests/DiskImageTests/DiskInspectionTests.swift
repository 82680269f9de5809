import DiskImage
import SystemIO
import TestSupport
import Testing

@Suite struct DiskInspectionTests {
  private func inspectImage(_ arguments: [String]) throws -> DiskInspection {
    let scratch = try Scratch()
    let path = scratch.file("disk.qcow2")
    try scratch.write("base.raw", [UInt8](repeating: 1, count: 1024))
    try Tool.check(
      "qemu-img", ["create", "-q", "-f", "qcow2"] + arguments + [path, "64M"], in: scratch.path)
    return try inspect(Descriptor.open(path, .read), format: .qcow2)
  }

  @Test("a plain image made by QEMU is self-contained", arguments: ["compat=0.10", "compat=1.1"])
  func plain(option: String) throws {
    let found = try inspectImage(["-o", option])
    #expect(found.virtualSize == 64 << 20)
    #expect(found.version == (option == "compat=0.10" ? 2 : 3))
    try found.requireSelfContained(file: "disk.qcow2")
  }

  @Test(
    "what reaches beyond its own file is refused",
    arguments: [
      ["-b", "base.raw", "-F", "raw"],
      ["-o", "data_file=data.bin"],
    ])
  func refused(arguments: [String]) throws {
    let found = try inspectImage(arguments)
    #expect(throws: DiskImageError.self) { try found.requireSelfContained(file: "disk.qcow2") }
  }

  // Patched in, as making one takes time that qemu-img can't measure on a busy machine.
  @Test("an encrypted image is refused", arguments: [UInt8(1), 2])
  func encrypted(method: UInt8) throws {
    let scratch = try Scratch()
    let file = try scratch.create("disk.qcow2")
    try makeEmptyDisk(file, format: .qcow2, virtualSize: 1 << 20)
    try [method].withUnsafeBufferPointer {
      try file.write(UnsafeRawBufferPointer($0), at: 35)
    }
    let found = try inspect(file, format: .qcow2)
    #expect(throws: DiskImageError.self) { try found.requireSelfContained(file: "disk.qcow2") }
  }

  @Test("a header cut anywhere or with any byte turned over is answered, never a crash")
  func hostile() throws {
    let scratch = try Scratch()
    let file = try scratch.create("disk.qcow2")
    try makeOverlayDisk(file, virtualSize: 1 << 30, backingFile: "base", backingFormat: .raw)
    let good = Array(try readFile(scratch.file("disk.qcow2")).prefix(160))
    func expectAnswer(_ bytes: [UInt8]) throws {
      let path = try scratch.write("bad.qcow2", bytes)
      do {
        _ = try inspect(Descriptor.open(path, .read), format: .qcow2)
      } catch is DiskImageError {
        return
      }
    }
    for length in 0..<good.count { try expectAnswer(Array(good.prefix(length))) }
    for index in 0..<good.count {
      for flip in [0xff, 0x80, 0x01] as [UInt8] {
        var bad = good
        bad[index] ^= flip
        try expectAnswer(bad)
      }
    }
    #expect(throws: DiskImageError.self) {
      let path = try scratch.write("short.qcow2", Array(good.prefix(60)))
      _ = try inspect(Descriptor.open(path, .read), format: .qcow2)
    }
  }

  @Test("the format is never guessed")
  func noProbing() throws {
    let scratch = try Scratch()
    let file = try scratch.create("disk")
    try makeOverlayDisk(file, virtualSize: 1 << 30, backingFile: "/etc/shadow", backingFormat: .raw)
    let found = try inspect(file, format: .raw)
    #expect(found.virtualSize == (try file.size()))
    #expect(found.backingFile == nil)
  }
}
