import Conversion
import EngineInterface
import JSON
import Resources
import SystemIO
import TestSupport
import Testing

@Suite struct ImageBuilderTests {
  private let builder = ConversionImageBuilder(host: .live())

  private func image(_ source: JSONValue, format: String = "qcow2") -> Resource {
    Resource(
      ResourceID(.image, "i"),
      spec: [
        "source": source, "mode": "template", "boot": ["direct"], "format": .string(format),
        "exclude": [],
      ])
  }

  private func build(
    _ image: Resource, _ scratch: Scratch, _ name: String, base: String? = nil
  ) async throws -> String {
    let directory = scratch.file(name)
    try makeDirectories(directory)
    let built = try await builder.build(image, into: directory, baseImage: base) { _ in }
    #expect(fileExists("\(directory)/\(built.disk)"))
    return directory
  }

  @Test("a tree gives disk, kernel and initramfs, and an image based on it the same")
  func tree() async throws {
    let scratch = try Scratch()
    let root = try makeDebian(in: scratch)
    let base = try await build(image(["tree": ["path": .string(root)]]), scratch, "base")
    #expect(try namesInDirectory(base) == ["disk.qcow2", "image.json", "initrd", "vmlinuz"])
    try Tool.check("qemu-img", ["check", "\(base)/disk.qcow2"])
    let derived = try await build(
      image(["image": "base"], format: "raw"), scratch, "derived", base: base)
    #expect(try namesInDirectory(derived) == ["disk.raw", "image.json", "initrd", "vmlinuz"])
    try Tool.check("qemu-img", ["compare", "\(base)/disk.qcow2", "\(derived)/disk.raw"])
  }

  @Test("inputs change with the tree and with nothing else")
  func inputs() async throws {
    let scratch = try Scratch()
    let root = try makeDebian(in: scratch)
    let resource = image(["tree": ["path": .string(root)]])
    let first = try await builder.inputs(of: resource)
    #expect(try await builder.inputs(of: resource) == first)
    var protected = resource
    protected.spec["lifecycle"] = ["deletionProtection": false, "deletionPolicy": "Delete"]
    let unprotected = try await builder.inputs(of: protected)
    protected.spec["lifecycle"] = ["deletionProtection": true, "deletionPolicy": "Retain"]
    #expect(try await builder.inputs(of: protected) == unprotected)
    try Tool.check("chmod", ["600", "\(root)/etc/hostname"])
    try Tool.check("chmod", ["640", "\(root)/etc/fstab"])
    #expect(try await builder.inputs(of: resource) != first)
  }

  @Test("a disk image that leans on another file is refused")
  func backingFile() async throws {
    let scratch = try Scratch()
    let base = scratch.file("base.raw")
    try Tool.check("qemu-img", ["create", "-q", "-f", "raw", base, "1M"])
    let overlay = scratch.file("overlay.qcow2")
    try Tool.check(
      "qemu-img", ["create", "-q", "-f", "qcow2", "-b", base, "-F", "raw", overlay])
    await #expect(throws: (any Error).self) {
      try await build(
        image(["file": ["path": .string(overlay), "format": "qcow2"]]), scratch, "out")
    }
    #expect(try namesInDirectory(scratch.file("out")) == [])
  }

  @Test(
    "a disk image of any format is taken over",
    arguments: [
      ("raw", "raw", "raw"), ("raw", "raw", "qcow2"), ("vmdk", "vmdk", "qcow2"),
      ("vhd", "vpc", "qcow2"), ("vhdx", "vhdx", "raw"),
    ])
  func file(format: String, driver: String, wanted: String) async throws {
    let scratch = try Scratch()
    let raw = scratch.file("source.raw")
    try Tool.check("dd", ["if=/dev/urandom", "of=\(raw)", "bs=64K", "count=3"])
    try Tool.check("truncate", ["-s", "4M", raw])
    let source = scratch.file("source")
    try Tool.check("qemu-img", ["convert", "-f", "raw", "-O", driver, raw, source])
    let directory = try await build(
      image(["file": ["path": .string(source), "format": .string(format)]], format: wanted),
      scratch, "out")
    try Tool.check(
      "qemu-img", ["compare", "-f", "raw", "-F", wanted, raw, "\(directory)/disk.\(wanted)"])
  }

  @Test(
    "a disk image says which firmware finds something to start on it",
    arguments: [
      ("label: gpt\n,1M,U\n", false, ["uefi"]), ("label: gpt\n,1M,L\n", false, []),
      ("label: gpt\n,1M,21686148-6449-6E6F-744E-656564454649\n", true, ["bios"]),
      ("label: gpt\n,1M,U\n", true, ["bios", "uefi"]), ("label: dos\n,1M,ef\n", false, ["uefi"]),
      ("label: dos\n,1M,83\n", true, ["bios"]), ("", false, []),
    ])
  func firmware(table: String, hasCode: Bool, firmware: [String]) async throws {
    let scratch = try Scratch()
    let source = scratch.file("source.raw")
    try Tool.check("truncate", ["-s", "8M", source])
    if !table.isEmpty {
      try Tool.check("sh", ["-c", "printf '\(table)' | sfdisk -q \(source)"])
    }
    if hasCode {
      try Tool.check("sh", ["-c", "printf 'x' | dd of=\(source) conv=notrunc status=none"])
    }
    try Tool.check("qemu-img", ["convert", "-O", "vmdk", source, "\(source).vmdk"])
    let resource = image(["file": ["path": .string("\(source).vmdk"), "format": "vmdk"]])
    try makeDirectories(scratch.file("out"))
    let built = try await builder.build(
      resource, into: scratch.file("out"), baseImage: nil
    ) { _ in }
    #expect(built.firmware == firmware)
    try Tool.check("qemu-img", ["compare", source, "\(scratch.file("out"))/disk.qcow2"])
  }
}
