internal import DiskImage
internal import Ext4
internal import FileTree
internal import SystemIO

/// A disk being written: a GPT with one partition, the root file system, in a pending image file.
final class RootDisk {
  /// The partition's place among the disk's bytes.
  private final class Partition1: BlockSink {
    let disk: DiskWriter
    /// The end of the furthest write, in bytes of the file system.
    var end = 0

    init(_ disk: DiskWriter) { self.disk = disk }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
      try disk.write(bytes, at: PartitionTable.alignment + offset)
      end = max(end, offset + bytes.count)
    }
  }

  /// What the partition tables at both ends take, the alignment of the partition's end included.
  static let overhead = 2 * PartitionTable.alignment

  /// Where file contents go.
  let writer: Ext4Writer
  private let disk: DiskWriter
  private let sink: Partition1
  private let size: Int?

  /// Begins a disk.
  init(_ file: Descriptor, _ options: ConversionOptions, threads: Int) throws {
    size = options.size
    disk = try DiskWriter(
      file, format: options.format, compression: options.compression, threads: threads)
    sink = Partition1(disk)
    guard let unknown = FileSystemUUID(bytes: [UInt8](repeating: 0, count: 16)) else {
      throw ConversionError("cannot begin the root file system")
    }
    var settings = Ext4Options(uuid: unknown, hashSeed: unknown)
    settings.label = Array(options.label.utf8)
    if let size { settings.size = .exactly(UInt64(size - Self.overhead)) }
    writer = try Ext4Writer(settings, sink: sink)
  }

  /// Completes file system, partition table and image.
  func finish(
    _ tree: FileTree, _ identity: DiskIdentity, creationTime: Int64
  ) throws -> (fileSystem: Ext4Summary, image: DiskWriter.Summary) {
    let free = UInt64(sink.end / 10 + (64 << 20))
    try writer.revise {
      $0.uuid = identity.fileSystem
      $0.hashSeed = identity.hashSeed
      $0.creationTime = creationTime
      if size == nil { $0.size = .fitting(free: free & ~0xf_ffff) }
    }
    let fileSystem = try writer.finish(tree)
    let partition = Partition(
      type: .linuxRootX86, id: identity.partition, name: "root", size: fileSystem.size)
    let table = try PartitionTable(
      [partition], diskID: identity.disk, minimumDiskSize: size ?? 0)
    for piece in table.pieces { try disk.write(piece.bytes, at: piece.offset) }
    return (fileSystem, try disk.finish(virtualSize: table.diskSize))
  }
}
