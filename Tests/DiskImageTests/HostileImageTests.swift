import DiskImage
import SystemIO
import TestSupport
import Testing

@Suite struct HostileImageTests {
  /// How many damaged images of a format are read.
  static let rounds: [(format: DiskFormat, rounds: Int)] = [
    (.raw, 100), (.qcow2, 3000), (.vmdk, 3000), (.vhd, 1500), (.vhdFixed, 1500), (.vhdx, 1000),
  ]

  @Test("a damaged image gives an error or bytes, never more", arguments: rounds.indices)
  func damaged(index: Int) throws {
    let (format, rounds) = Self.rounds[index]
    let seed = UInt64.random(in: 0...UInt64.max)
    var generator = SeededGenerator(seed: seed)
    let good = try makeImage(format, using: &generator)
    // What a round did is known from its own seed, should one never end or crash.
    for round in 0..<rounds {
      var dice = SeededGenerator(seed: seed &+ UInt64(round))
      let bad = Damage(format: format, original: good).apply(using: &dice)
      do throws(DiskImageError) {
        try readSome(bad, format, using: &dice)
      } catch {
        let text = "\(error)"
        #expect(
          text.contains("disk.img") || text.contains("lay out"),
          "seed \(seed) round \(round): \(text)")
      }
    }
  }

  @Test("a file cut anywhere gives an error, or the disk's own bytes", arguments: rounds.indices)
  func cut(index: Int) throws {
    let format = Self.rounds[index].format
    if format == .raw { return }
    let seed = UInt64.random(in: 0...UInt64.max)
    var generator = SeededGenerator(seed: seed)
    let good = try makeImage(format, using: &generator)
    let whole = try DiskReader(bytes: good, name: "disk.img", format: format)
    let disk = try whole.read(at: 0, count: whole.size)
    for _ in 0..<60 {
      let length = Int.random(in: 0..<good.count, using: &generator)
      do throws(DiskImageError) {
        let reader = try DiskReader(
          bytes: Array(good.prefix(length)), name: "disk.img", format: format)
        for start in stride(from: 0, to: min(reader.size, disk.count), by: 1 << 16) {
          let count = min(1 << 16, reader.size - start)
          #expect(try reader.read(at: start, count: count) == Array(disk[start..<start + count]))
        }
      } catch {
        #expect("\(error)".contains("disk.img"), "seed \(seed) length \(length)")
      }
    }
  }

  /// Fields of a partition table's header or of its first entry, and what is said of them.
  static let tables: [(place: Int, bytes: [UInt8], reason: String)] = [
    (512 + 80, [0xff, 0xff, 0xff, 0xff], "impossible things"), (512 + 84, [0], "impossible things"),
    (512 + 84, [130], "impossible things"), (512 + 12, [0xff, 0xff], "impossible size"),
    (512 + 72, [UInt8](repeating: 0xff, count: 8), "impossible things"),
    (512 + 72, [0xff, 0xff, 0xff], "beyond the disk's end"),
    (1024 + 40, [UInt8](repeating: 0xff, count: 8), "partition 1 goes from sector 2048"),
    (1024 + 32, [0, 0], "partition 1 goes from sector 0"),
    (1024 + 41, [0x20], "partitions 1 and 2 overlap"),
  ]

  @Test("a partition table that says impossible things is refused", arguments: tables.indices)
  func partitions(index: Int) throws {
    let (place, bytes, reason) = Self.tables[index]
    let ids = try (0..<3).map {
      try #require(GUID(bytes: [UInt8](repeating: 1, count: 15) + [UInt8($0)]))
    }
    let table = try PartitionTable(
      ids.dropFirst().map {
        Partition(type: .linuxFilesystem, id: $0, name: "", size: 1 << 20)
      }, diskID: ids[0], minimumDiskSize: 8 << 20)
    var disk = [UInt8](repeating: 0, count: table.diskSize)
    for piece in table.pieces {
      disk.replaceSubrange(piece.offset..<piece.offset + piece.bytes.count, with: piece.bytes)
    }
    disk.replaceSubrange(place..<place + bytes.count, with: bytes)
    Checksums.repairPartitionTable(&disk)
    let reader = try DiskReader(bytes: disk, name: "disk", format: .raw)
    let error = #expect(throws: DiskImageError.self) { try PartitionTable.read(from: reader) }
    #expect("\(error as Any)".contains(reason), "\(error as Any)")
  }

  private func makeImage(
    _ format: DiskFormat, using generator: inout SeededGenerator
  ) throws -> [UInt8] {
    let scratch = try Scratch()
    var disk = GuestDisk(size: 3 << 20)
    disk.bytes.replaceSubrange(0..<100_000, with: generator.bytes(100_000))
    disk.bytes.replaceSubrange(2 << 20..<(2 << 20) + 70_000, with: repeatElement(7, count: 70_000))
    return try readFile(disk.write([0..<3 << 20], as: "image", in: scratch, format: format))
  }

  /// Reads the beginning, some other places and the list of data.
  private func readSome(
    _ bytes: [UInt8], _ format: DiskFormat, using generator: inout SeededGenerator
  ) throws(DiskImageError) {
    let reader = try DiskReader(bytes: bytes, name: "disk.img", format: format)
    let size = reader.size
    for attempt in 0..<6 {
      let start = attempt == 0 ? 0 : Int.random(in: 0...size, using: &generator)
      _ = try reader.read(at: start, count: min(100_000, size - start))
    }
    var position = 0
    for _ in 0..<10 {
      guard let data = try reader.nextData(from: position) else { break }
      _ = try reader.read(at: data.lowerBound, count: min(data.count, 1 << 16))
      position = data.upperBound
    }
    _ = try PartitionTable.read(from: reader)
  }
}

/// Ways to damage an image, mostly where its tables are.
private struct Damage {
  let format: DiskFormat
  let original: [UInt8]

  func apply(using dice: inout SeededGenerator) -> [UInt8] {
    var bytes = original
    if dice.oneIn(8) { bytes.removeLast(Int.random(in: 1...bytes.count, using: &dice)) }
    for _ in 0..<Int.random(in: 1...4, using: &dice) where !bytes.isEmpty {
      let zone = dice.oneIn(6) ? 0..<bytes.count : zones.randomElement(using: &dice)
      let range = (zone ?? 0..<0).clamped(to: 0..<bytes.count)
      guard let place = range.randomElement(using: &dice) else { continue }
      if dice.oneIn(2) {
        bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &dice)
        continue
      }
      let fill = ([0, 0xff, 0x7f, 0x80, 1] as [UInt8]).randomElement(using: &dice) ?? 0
      let count = [1, 4, 8].randomElement(using: &dice) ?? 1
      for index in place / count * count..<min(bytes.count, place / count * count + count) {
        bytes[index] = fill
      }
    }
    // Else the checksums alone would be tried.
    return dice.oneIn(5) ? bytes : Checksums.repaired(bytes, format)
  }

  private var zones: [Range<Int>] {
    let end = original.count
    switch format {
    case .qcow2: return [0..<160, end - (5 << 16)..<end]
    case .vmdk: return [0..<80, 512..<1200, end - 1024..<end - 900, end - 5000..<end]
    case .vhd: return [0..<580, 1536..<1600, end - 512..<end - 400]
    case .vhdx:
      return [
        0..<16, 65536..<65620, 131_072..<131_160, 196_608..<196_700, 262_144..<262_240,
        2 << 20..<(2 << 20) + 200, (2 << 20) + 65536..<(2 << 20) + 65600,
        end - (1 << 20)..<end - (1 << 20) + 64,
      ]
    default: return [end - 512..<end - 400]
    }
  }
}
