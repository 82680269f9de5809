public import FileTree

/// An ext4 file system that is read, by code that shares nothing with the one that writes.
///
/// Format: the kernel's Documentation/filesystems/ext4. Nothing is trusted: every number is
/// checked against the volume, every checksum is verified, and no block counts for two owners.
/// ext2 and ext3 are read too. Features that would need more are refused by name.
public final class Ext4Volume: Sendable {
  let source: any VolumeSource
  let superblock: Superblock
  let table: GroupTable
  private let limits: Ext4ReadLimits

  /// Reads the superblock and all group descriptors.
  ///
  /// - Throws: `Ext4ReadError`, or what the source throws.
  public init(_ source: some VolumeSource, limits: Ext4ReadLimits = Ext4ReadLimits()) throws {
    guard source.size >= Superblock.offset + Superblock.size else {
      throw Ext4ReadError(.notExt4, "\(source.size) bytes are too few for a file system")
    }
    let bytes = try source.bytes(at: Superblock.offset, count: Superblock.size)
    self.source = source
    self.limits = limits
    superblock = try Superblock(bytes, volumeSize: source.size)
    table = try GroupTable(superblock, source, limit: limits.groups)
  }

  /// The 16 bytes that name the file system.
  public var uuid: [UInt8] { superblock.uuid }

  /// The label, without padding.
  public var label: [UInt8] { superblock.label }

  /// Bytes it has room for, its own among them.
  public var size: Int { Int(superblock.blockCount) * superblock.blockSize }

  /// Reads every name and inode, checking all that can be checked without reading contents.
  ///
  /// Blocks, in directories and in memory, are bounded by the volume and `Ext4ReadLimits`.
  /// - Throws: `Ext4ReadError` with inode, block and value, or what the source throws.
  public func readTree() throws -> Ext4Tree {
    let reader = TreeReader(self, limits)
    try reader.run()
    return Ext4Tree(
      tree: reader.tree, source: source, blockSize: superblock.blockSize, runs: reader.runs,
      contents: reader.contents)
  }
}

/// All that a file system holds; contents are read from the volume when asked for.
public struct Ext4Tree: Sendable {
  /// Names, inodes and attributes; every regular file's content is a `FileContent.reference`.
  public let tree: FileTree
  private let source: any VolumeSource
  private let blockSize: Int
  private let runs: [BlockRun]
  private let contents: [ContentRecord]

  init(
    tree: FileTree, source: any VolumeSource, blockSize: Int, runs: [BlockRun],
    contents: [ContentRecord]
  ) {
    self.tree = tree
    self.source = source
    self.blockSize = blockSize
    self.runs = runs
    self.contents = contents
  }

  /// Reads a file from beginning to end; holes and blocks never written come as zeros.
  ///
  /// - Parameters:
  ///   - content: the number in `FileContent.reference`.
  ///   - buffer: for the pieces; not empty.
  /// - Throws: what the source or `body` throws, and `Ext4ReadError` for a number not known.
  public func read(
    _ content: UInt64, through buffer: UnsafeMutableRawBufferPointer,
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    guard content < UInt64(contents.count), !buffer.isEmpty else {
      throw Ext4ReadError(.limit, "there is no content of number \(content)")
    }
    let index = Int(content)
    let size = contents[index].size
    let end = index + 1 < contents.count ? contents[index + 1].firstRun : runs.count
    var position = 0
    func zeros(upTo limit: Int) throws {
      if position >= limit { return }
      UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, limit - position)])
        .initializeMemory(as: UInt8.self, repeating: 0)
      while position < limit {
        let count = min(buffer.count, limit - position)
        try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        position += count
      }
    }
    for run in runs[contents[index].firstRun..<end] {
      let start = Int(run.logical) * blockSize
      let runEnd = min(start + Int(run.count) * blockSize, size)
      try zeros(upTo: min(start, size))
      while position < runEnd {
        let part = UnsafeMutableRawBufferPointer(
          rebasing: buffer[..<min(buffer.count, runEnd - position)])
        try source.read(into: part, at: Int(run.physical) * blockSize + position - start)
        try body(UnsafeRawBufferPointer(part))
        position += part.count
      }
    }
    try zeros(upTo: size)
  }
}
