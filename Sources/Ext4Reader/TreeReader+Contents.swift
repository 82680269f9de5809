internal import FileTree

/// A run of a file's blocks that hold data, in the file and on the volume.
struct BlockRun: Sendable {
  var logical: UInt32
  var count: UInt32
  var physical: UInt64
}

/// Where a regular file's runs are among all.
struct ContentRecord: Sendable {
  let size: Int
  let firstRun: Int
}

// What inodes are, and the blocks of those that have some.
extension TreeReader {
  func kind(of inode: InodeRecord) throws -> FileKind {
    switch inode.type {
    case 0o040000: return .directory
    case 0o100000: return .regular(try content(of: inode))
    case 0o120000: return .symbolicLink(try linkTarget(of: inode))
    case 0o010000:
      try checkBlocks(of: inode, taken: 0)
      return .fifo
    case 0o140000:
      try checkBlocks(of: inode, taken: 0)
      return .socket
    case 0o020000:
      let (major, minor) = try device(of: inode)
      return .characterDevice(major: major, minor: minor)
    case 0o060000:
      let (major, minor) = try device(of: inode)
      return .blockDevice(major: major, minor: minor)
    default:
      throw Ext4ReadError(inode: inode.number, "its mode of \(inode.mode) is of no known type")
    }
  }

  private func content(of inode: InodeRecord) throws -> FileContent {
    guard let size = Int(exactly: inode.size) else {
      throw Ext4ReadError(inode: inode.number, "its size is \(inode.size) bytes")
    }
    let first = runs.count
    try map(inode, into: &runs)
    contents.append(ContentRecord(size: size, firstRun: first))
    return .reference(UInt64(contents.count - 1), size: UInt64(size))
  }

  private func linkTarget(of inode: InodeRecord) throws -> [UInt8] {
    guard (1..<UInt64(superblock.blockSize)).contains(inode.size) else {
      throw Ext4ReadError(inode: inode.number, "a symbolic link of \(inode.size) bytes")
    }
    let size = Int(inode.size)
    let own = inode.attributeBlock == 0 ? 0 : UInt64(superblock.blockSize / 512)
    let target: [UInt8]
    if !inode.hasExtents, size < inode.root.count, inode.sectors == own {
      try checkBlocks(of: inode, taken: 0)
      target = Array(inode.root[..<size])
    } else {
      var runs: [BlockRun] = []
      try map(inode, into: &runs)
      guard let run = runs.first, run.logical == 0 else {
        throw Ext4ReadError(inode: inode.number, "a symbolic link without a block")
      }
      target = Array(try bytes(ofBlock: run.physical)[..<size])
    }
    guard !target.contains(0) else {
      throw Ext4ReadError(inode: inode.number, "a symbolic link's target holds a NUL")
    }
    return target
  }

  /// Device numbers: eight bits each in the first word, or more in the second.
  private func device(of inode: InodeRecord) throws -> (UInt32, UInt32) {
    try checkBlocks(of: inode, taken: 0)
    let old = inode.root.little32(0)
    if old != 0 { return (old >> 8 & 0xff, old & 0xff) }
    let new = inode.root.little32(4)
    return (new >> 8 & 0xfff, new & 0xff | new >> 12 & 0xfff00)
  }

  /// Adds an inode's runs, having checked and claimed them.
  func map(_ inode: InodeRecord, into runs: inout [BlockRun]) throws {
    let taken =
      try inode.hasExtents ? mapExtents(inode, into: &runs) : mapBlocks(inode, into: &runs)
    try checkBlocks(of: inode, taken: taken)
  }

  /// Compares the count of blocks an inode keeps with those it has.
  func checkBlocks(of inode: InodeRecord, taken: UInt64) throws {
    let blocks = taken + (inode.attributeBlock == 0 ? 0 : 1)
    let sectors = blocks * UInt64(superblock.blockSize / 512)
    guard inode.sectors == sectors else {
      throw Ext4ReadError(
        inode: inode.number, "it counts \(inode.sectors) sectors and has \(sectors)")
    }
  }

  /// Fails where an inode has taken more blocks than there are.
  func checkTaken(_ taken: UInt64, _ inode: InodeRecord) throws {
    guard taken <= superblock.blockCount else {
      throw Ext4ReadError(inode: inode.number, "it has more blocks than the file system")
    }
  }
}
