/// A name to be written into a directory.
struct DirectoryName {
  var name: ArraySlice<UInt8>
  var inode: UInt32
  /// The file type in the upper four mode bits.
  var typeBits: UInt16

  /// Bytes the entry takes at least.
  var length: Int { DirectoryBlock.entryLength(name.count) }
}

/// What fits the blocks of directories.
struct DirectoryFormat {
  /// Whether each block ends with a checksum (feature metadata_csum).
  let hasTail: Bool

  /// Bytes for names in a block, up to the checksum's tail.
  var capacity: Int { hasTail ? Ext4.blockSize - 12 : Ext4.blockSize }

  /// Index entries that fit the root block: 507 with a tail.
  var rootLimit: Int { indexLimit(from: 32) }

  /// Index entries that fit an inner block: 510 with a tail.
  var nodeLimit: Int { indexLimit(from: 8) }

  /// Index entries of eight bytes that fit from an offset on.
  func indexLimit(from offset: Int) -> Int {
    (Ext4.blockSize - offset - (hasTail ? 8 : 0)) / 8
  }
}

/// One block of a directory, with its checksum's place kept free.
struct DirectoryBlock {
  let bytes: UnsafeMutableRawBufferPointer
  let format: DirectoryFormat
  /// Over the file system's UUID, the inode's number and generation so far.
  let checksum: MetadataChecksum
  private var used = 0
  private var last = 0

  init(
    _ bytes: UnsafeMutableRawBufferPointer, _ format: DirectoryFormat, _ checksum: MetadataChecksum
  ) {
    self.bytes = bytes
    self.format = format
    self.checksum = checksum
  }

  static func entryLength(_ nameLength: Int) -> Int { (8 + nameLength + 3) & ~3 }

  mutating func reset() {
    bytes.clear()
    used = 0
    last = 0
  }

  mutating func add(_ entry: DirectoryName) {
    put(entry, at: used, length: entry.length)
    last = used
    used += entry.length
  }

  /// Lets the last entry reach to the tail, as every byte belongs to an entry, and seals.
  func close() {
    let capacity = format.capacity
    // A block without names is one unused entry.
    bytes.putLow16(capacity - last, at: last + 4)
    guard format.hasTail else { return }
    // To what knows no checksums the tail is one more unused entry.
    bytes.putLow16(12, at: capacity + 4)
    bytes.put(UInt16(0xde00), at: capacity + 6)
    bytes.put(checksum.over(bytes.part(0..<capacity)).value, at: capacity + 8)
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
    let limit = format.indexLimit(from: offset)
    for (index, entry) in entries.enumerated() {
      bytes.put(entry.hash, at: offset + index * 8)
      bytes.put(entry.block, at: offset + index * 8 + 4)
    }
    bytes.putLow16(limit, at: offset)
    bytes.putLow16(entries.count, at: offset + 2)
    guard format.hasTail else { return }
    // The tail's own eight bytes count as zeros.
    let sum = checksum.over(bytes.part(0..<offset + entries.count * 8)).over(UInt64(0))
    bytes.put(sum.value, at: offset + limit * 8 + 4)
  }
}
