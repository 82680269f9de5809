/// A name to be written into a directory.
struct DirectoryName {
  var name: ArraySlice<UInt8>
  var inode: UInt32
  /// The file type in the upper four mode bits.
  var typeBits: UInt16

  /// Bytes the entry takes at least.
  var length: Int { DirectoryBlock.entryLength(name.count) }
}

/// One block of a directory, with its checksum's place kept free.
struct DirectoryBlock {
  /// Where the checksum's tail begins in blocks of names.
  static let capacity = Ext4.blockSize - 12

  let bytes: UnsafeMutableRawBufferPointer
  /// Checksum over the file system's UUID, the inode's number and generation.
  let seed: UInt32
  private var used = 0
  private var last = 0

  init(_ bytes: UnsafeMutableRawBufferPointer, seed: UInt32) {
    self.bytes = bytes
    self.seed = seed
  }

  static func entryLength(_ nameLength: Int) -> Int { (8 + nameLength + 3) & ~3 }

  mutating func reset() {
    bytes.clear()
    used = 0
    last = 0
  }

  func fits(_ length: Int) -> Bool { used + length <= Self.capacity }

  /// Bytes not taken by names.
  var left: Int { Self.capacity - used }

  mutating func add(_ entry: DirectoryName) {
    put(entry, at: used, length: entry.length)
    last = used
    used += entry.length
  }

  /// Lets the last entry reach to the tail, as every byte belongs to an entry, and seals.
  mutating func close() {
    // A block without names is one unused entry.
    bytes.putLow16(Self.capacity - last, at: last + 4)
    bytes.putLow16(12, at: Self.capacity + 4)
    bytes.put(UInt16(0xde00), at: Self.capacity + 6)
    let checksum = CRC32C.update(seed, UnsafeRawBufferPointer(bytes.part(0..<Self.capacity)))
    bytes.put(checksum, at: Self.capacity + 8)
  }

  func put(_ entry: DirectoryName, at offset: Int, length: Int) {
    // Indexed by file type / 0o10000: FIFO 5, character 3, directory 2, block 4, regular 1,
    // link 7, socket 6.
    let types: [UInt8] = [0, 5, 3, 0, 2, 0, 4, 0, 1, 0, 7, 0, 6, 0, 0, 0]
    bytes.put(entry.inode, at: offset)
    bytes.putLow16(length, at: offset + 4)
    bytes.put(UInt8(truncatingIfNeeded: entry.name.count), at: offset + 6)
    bytes.put(types[Int(entry.typeBits >> 12)], at: offset + 7)
    bytes.put(entry.name, at: offset + 8)
  }

  /// Writes index entries, their count and limit, and seals the block.
  ///
  /// The first entry's hash is left out: its place holds limit and count.
  func closeIndex(at offset: Int, _ entries: [(hash: UInt32, block: UInt32)]) {
    let limit = (Ext4.blockSize - offset - 8) / 8
    for (index, entry) in entries.enumerated() {
      bytes.put(entry.hash, at: offset + index * 8)
      bytes.put(entry.block, at: offset + index * 8 + 4)
    }
    bytes.putLow16(limit, at: offset)
    bytes.putLow16(entries.count, at: offset + 2)
    let tail = offset + limit * 8
    let covered = UnsafeRawBufferPointer(bytes.part(0..<offset + entries.count * 8))
    let reserved = CRC32C.update(CRC32C.update(seed, covered), UInt32(0))
    bytes.put(CRC32C.update(reserved, UInt32(0)), at: tail + 4)
  }
}
