import DiskImage
import SystemIO
import TestSupport
import Testing

@Suite struct PartitionTableTests {
  private func guid(_ last: UInt8) throws -> GUID {
    try #require(GUID(bytes: [UInt8](repeating: 0xa0, count: 15) + [last]))
  }

  private func table(minimum: Int = 0) throws -> PartitionTable {
    try PartitionTable(
      [
        Partition(type: .biosBoot, id: guid(1), name: "bios", size: 1 << 20),
        Partition(type: .efiSystem, id: guid(2), name: "esp", size: 33 << 20, attributes: 1),
        Partition(type: .linuxRootX86, id: guid(3), name: "wurzel-ä", size: 10_000_001),
        Partition(type: .linuxSwap, id: guid(4), name: "", size: 512),
        Partition(type: .linuxFilesystem, id: guid(5), name: "data", size: 4096),
      ], diskID: guid(0), minimumDiskSize: minimum)
  }

  private func write(_ table: PartitionTable, in scratch: Scratch) throws -> String {
    let writer = try DiskWriter(scratch.create("disk.raw"), format: .raw, threads: 1)
    for piece in table.pieces { try writer.write(piece.bytes, at: piece.offset) }
    _ = try writer.finish(virtualSize: table.diskSize)
    return scratch.file("disk.raw")
  }

  @Test("fdisk's tools find nothing wrong", arguments: [0, 100 << 20])
  func verify(minimum: Int) throws {
    let scratch = try Scratch()
    let path = try write(table(minimum: minimum), in: scratch)
    let verdict = try Tool.run("sfdisk", ["--verify", path])
    #expect(verdict.status == 0, "\(verdict.output)")
    #expect(verdict.output.contains("No errors detected"), "\(verdict.output)")
    #expect(try Descriptor.open(path, .read).size() >= minimum)
  }

  @Test("fdisk's tools read back types, names, identities and places")
  func readBack() throws {
    let scratch = try Scratch()
    let table = try table()
    let dump = try Tool.check("sfdisk", ["--dump", write(table, in: scratch)])
    #expect(dump.contains("label-id: A0A0A0A0-A0A0-A0A0-A0A0-A0A0A0A0A000"), "\(dump)")
    let lines = dump.split(separator: "\n").filter { $0.contains("start=") }
    #expect(lines.count == table.partitions.count)
    for (line, placed) in zip(lines, table.partitions) {
      let text = line.filter { $0 != " " }
      #expect(text.contains("start=\(placed.offset / 512),"), "\(line)")
      #expect(text.contains("size=\(placed.size / 512),"), "\(line)")
      #expect(text.contains("type=\(placed.partition.type.description.uppercased())"), "\(line)")
      #expect(text.contains("uuid=\(placed.partition.id.description.uppercased())"), "\(line)")
      #expect(placed.offset % PartitionTable.alignment == 0)
    }
    #expect(lines[1].contains("RequiredPartition"), "\(lines[1])")
    #expect(lines[0].contains("name=\"bios\""), "\(lines[0])")
  }

  @Test("the backup alone is enough to find the partitions")
  func backup() throws {
    let scratch = try Scratch()
    let path = try write(table(), in: scratch)
    // Its header gone, but not the protective MBR, by which any tool recognises the disk.
    try Descriptor.open(path, .readWrite).zeroSector(1)
    let dump = try Tool.run("sfdisk", ["--dump", path])
    #expect(dump.output.contains("A0A0A0A0-A0A0-A0A0-A0A0-A0A0A0A0A005"), "\(dump.output)")
  }

  @Test("what cannot be laid out is refused")
  func refused() throws {
    let one = Partition(type: .linuxSwap, id: try guid(1), name: "a", size: 512)
    func expectRefused(_ partitions: [Partition], _ comment: Comment) throws {
      let id = try guid(0)
      #expect(throws: DiskImageError.self, comment) {
        try PartitionTable(partitions, diskID: id)
      }
    }
    var other = one
    other.size = 0
    try expectRefused([other], "no size")
    other.size = .max
    try expectRefused([other], "too large")
    other = one
    other.name = String(repeating: "x", count: 37)
    try expectRefused([other], "long name")
    try expectRefused([one, one], "same identity")
    try expectRefused(Array(repeating: one, count: 129), "too many")
  }

  @Test("an identifier reads and writes its text form")
  func identifiers() {
    let text = "0fc63daf-8483-4772-8e79-3d69d8477de4"
    #expect(GUID(text)?.description == text)
    #expect(GUID(text.uppercased()) == .linuxFilesystem)
    for bad in ["", "0fc63daf", text + "0", "0fc63daf-8483-4772-8e79-3d69d8477dg4"] {
      #expect(GUID(bad) == nil, "\(bad)")
    }
  }
}

extension Descriptor {
  /// Overwrites one sector with zeros.
  fileprivate func zeroSector(_ number: Int) throws {
    let zeros = [UInt8](repeating: 0, count: 512)
    try zeros.withUnsafeBytes { try write($0, at: number * 512) }
  }
}
