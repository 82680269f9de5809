internal import DiskImage
internal import Ext4
internal import FileTree
internal import SystemIO

/// A disk being written into a pending image file: a GPT with the partitions asked for and, last
/// so that it can grow, the root file system.
///
/// Every partition but the root has a size from the start, so that contents can be streamed to
/// their places in one pass.
final class GuestDisk {
  /// A file system and its place on the disk.
  private struct Volume {
    let layout: PartitionLayout
    let offset: Int
    let sink: PartitionSink
    let writer: Ext4Writer
    /// Digests its contents, where a manifest or a verification asks for that.
    let hasher: ContentHasher?
  }

  /// Where one partition's bytes go.
  private final class PartitionSink: BlockSink {
    private let disk: DiskWriter
    private let offset: Int
    /// The end of the furthest write, in bytes of the partition.
    private(set) var end = 0

    init(_ disk: DiskWriter, offset: Int) {
      self.disk = disk
      self.offset = offset
    }

    func write(_ bytes: UnsafeRawBufferPointer, at position: Int) throws {
      try disk.write(bytes, at: offset + position)
      end = max(end, position + bytes.count)
    }
  }

  /// What became of a partition.
  struct FinishedVolume {
    let layout: PartitionLayout
    let size: Int
    /// Nil for swap.
    let fileSystem: Ext4Summary?
  }

  private let disk: DiskWriter
  private let options: ConversionOptions
  private let layouts: [PartitionLayout]
  /// File systems but the root's, the deepest mount points first.
  private var volumes: [Volume] = []
  private let root: Volume
  /// The file systems that were finished and digested, the root's last, and the disk around them.
  private(set) var written: [WrittenVolume] = []
  private(set) var table: PartitionTable?

  /// Begins a disk.
  ///
  /// - Parameter partitions: all but the root, in the order they stand on the disk.
  init(
    _ file: Descriptor, _ options: ConversionOptions, _ partitions: [PartitionLayout], threads: Int
  ) throws {
    self.options = options
    layouts = partitions
    disk = try DiskWriter(
      file, format: options.format.ofDisk, compression: options.compression, threads: threads)
    var offset = PartitionTable.alignment
    for layout in partitions {
      if layout.mountPoint != nil {
        volumes.append(
          try Self.volume(
            layout, disk, offset, options, size: .exactly(UInt64(layout.size)), threads))
      }
      offset += layout.size
    }
    volumes.sort { ($0.layout.mountPoint?.count ?? 0) > ($1.layout.mountPoint?.count ?? 0) }
    var size = Ext4Size.fitting(free: 64 << 20)
    if let whole = options.size {
      let room = whole - offset - PartitionTable.alignment
      guard room >= PartitionLayout.smallest else {
        throw ConversionError(
          "the disk's size of \(whole) bytes leaves no room for the root file system",
          help: "give a larger size, smaller partitions or none")
      }
      size = .exactly(UInt64(room))
    }
    root = try Self.volume(
      PartitionLayout.root(options), disk, offset, options, size: size, threads)
  }

  private static func volume(
    _ layout: PartitionLayout, _ disk: DiskWriter, _ offset: Int, _ options: ConversionOptions,
    size: Ext4Size, _ threads: Int
  ) throws -> Volume {
    guard let unknown = FileSystemUUID(bytes: [UInt8](repeating: 0, count: 16)) else {
      throw ConversionError("cannot begin the file system of \(layout.target)")
    }
    var settings = Ext4Options(uuid: unknown, hashSeed: unknown)
    settings.label = Array(layout.label.utf8)
    settings.size = size
    settings.profile = options.ext4
    let sink = PartitionSink(disk, offset: offset)
    let writer = try Ext4Writer(settings, sink: sink)
    let hasher = options.needsDigests ? try ContentHasher(threads: threads) : nil
    writer.observer = hasher
    return Volume(layout: layout, offset: offset, sink: sink, writer: writer, hasher: hasher)
  }

  /// Where the contents of a file at a path, given as its parts, go.
  func writer(for path: [[UInt8]]) -> Ext4Writer {
    if volumes.isEmpty { return root.writer }
    let volume = volumes.first { path.starts(with: $0.layout.mountPoint ?? []) }
    return (volume ?? root).writer
  }

  /// Completes file systems, partition table and image.
  func finish(
    _ tree: FileTree, _ identity: DiskIdentity, creationTime: Int64
  ) throws -> (volumes: [FinishedVolume], image: DiskWriter.Summary) {
    var rest = tree
    var finished: [String: Ext4Summary] = [:]
    for volume in volumes {
      let part = try rest.split(at: volume.layout.mountPoint ?? [])
      finished[volume.layout.target] = try complete(volume, part, identity, creationTime)
    }
    let rootSummary = try complete(root, rest, identity, creationTime)
    var offset = PartitionTable.alignment
    var partitions: [Partition] = []
    var result: [FinishedVolume] = []
    for layout in layouts + [root.layout] {
      let summary = layout.target == root.layout.target ? rootSummary : finished[layout.target]
      if layout.mountPoint == nil { try writeSwap(layout, identity, at: offset) }
      // The root's size is known only now.
      let size = layout.size > 0 ? layout.size : rootSummary.size
      partitions.append(
        Partition(
          type: layout.type, id: identity.partition(layout.target), name: layout.label, size: size))
      result.append(FinishedVolume(layout: layout, size: size, fileSystem: summary))
      offset += layout.size
    }
    let table = try PartitionTable(
      partitions, diskID: identity.disk, minimumDiskSize: options.size ?? 0)
    for piece in table.pieces { try disk.write(piece.bytes, at: piece.offset) }
    self.table = table
    return (result, try disk.finish(virtualSize: table.diskSize))
  }

  private func complete(
    _ volume: Volume, _ tree: FileTree, _ identity: DiskIdentity, _ creationTime: Int64
  ) throws -> Ext4Summary {
    let isRoot = volume.layout.target == root.layout.target
    let free = UInt64(volume.sink.end / 10 + (64 << 20))
    try volume.writer.revise {
      $0.uuid = identity.fileSystem(volume.layout.target)
      $0.hashSeed = identity.hashSeed
      $0.creationTime = creationTime
      if isRoot, options.size == nil { $0.size = .fitting(free: free & ~0xf_ffff) }
    }
    do {
      let summary = try volume.writer.finish(tree)
      if let hasher = volume.hasher {
        written.append(
          WrittenVolume(
            target: volume.layout.target, offset: volume.offset, size: summary.size,
            uuid: identity.fileSystem(volume.layout.target).bytes,
            label: Array(volume.layout.label.utf8), tree: tree, digests: hasher.finish()))
      }
      return summary
    } catch  where !isRoot {
      throw ConversionError("the partition for \(volume.layout.target): \(error)")
    }
  }

  /// Writes swap space as mkswap(8) does: the header is the first page (linux/swap.h).
  private func writeSwap(
    _ layout: PartitionLayout, _ identity: DiskIdentity, at offset: Int
  ) throws {
    let page = 4096
    var header = [UInt8](repeating: 0, count: page)
    func put(_ value: Int, _ position: Int) {
      for index in 0..<4 {
        header[position + index] = UInt8(truncatingIfNeeded: value >> (index * 8))
      }
    }
    put(1, 1024)
    put(min(layout.size / page - 1, Int(UInt32.max)), 1028)
    header.replaceSubrange(1036..<1052, with: identity.fileSystem(layout.target).bytes)
    header.replaceSubrange(page - 10..<page, with: Array("SWAPSPACE2".utf8))
    try disk.write(header, at: offset)
  }
}
