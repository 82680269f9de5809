import Ext4
import Ext4Reader
import FileTree
import Synchronization
import SystemIO
import TestSupport
import Testing

/// A volume in memory; writing through it is what corrupts it.
struct MemoryVolume: VolumeSource {
  var bytes: [UInt8]
  var size: Int { bytes.count }

  struct Outside: Error {}

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws {
    guard offset >= 0, offset + buffer.count <= bytes.count else { throw Outside() }
    bytes.withUnsafeBytes {
      buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + buffer.count]))
    }
  }
}

/// A volume in a file, which may be sparse and large.
struct FileVolume: VolumeSource {
  let descriptor: Descriptor
  let size: Int

  init(_ path: String) throws {
    descriptor = try Descriptor.open(path, .read)
    size = try descriptor.size()
  }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws {
    guard try descriptor.read(into: buffer, at: offset) == buffer.count else {
      throw MemoryVolume.Outside()
    }
  }
}

/// Takes what the writer writes into a file.
final class FileSink: BlockSink {
  let descriptor: Descriptor
  init(_ descriptor: Descriptor) { self.descriptor = descriptor }
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
    try descriptor.write(bytes, at: offset)
  }
}

/// Writes a tree with our writer; `fill` may stream contents.
func writeImage(
  _ scratch: Scratch, _ name: String = "image", size: Ext4Size = .fitting(free: 4 << 20),
  _ fill: (inout FileTree, Ext4Writer) throws -> Void
) throws -> (path: String, tree: FileTree) {
  let uuid = try #require(FileSystemUUID("6e6f7420-6120-4765-8d61-6b6520626967"))
  var options = Ext4Options(uuid: uuid, hashSeed: uuid)
  options.creationTime = 1_700_000_000
  options.size = size
  options.maximumSize = 1 << 30
  let descriptor = try scratch.create(name)
  let writer = try Ext4Writer(options, sink: FileSink(descriptor))
  var tree = FileTree()
  try fill(&tree, writer)
  try descriptor.truncate(to: try writer.finish(tree).size)
  return (scratch.file(name), tree)
}

/// Reads a file's bytes.
func bytes(_ content: UInt64, in volume: Ext4Tree, piece: Int = 65536) throws -> [UInt8] {
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: piece, alignment: 16)
  defer { buffer.deallocate() }
  var bytes: [UInt8] = []
  try volume.read(content, through: buffer) { bytes += $0 }
  return bytes
}

/// The content of a path.
func contents(_ path: String, in volume: Ext4Tree) throws -> [UInt8] {
  let node = try #require(volume.tree.lookUp(path))
  guard case .regular(.reference(let number, _)) = volume.tree.kind(of: node) else {
    Issue.record("\(path) is no regular file")
    return []
  }
  return try bytes(number, in: volume)
}

/// Runs requests of debugfs that change an image, with its checksums kept right.
func change(_ path: String, _ requests: String...) throws {
  for request in requests { try Tool.check("debugfs", ["-w", "-R", request, path]) }
}

/// What reading a whole image comes to.
func read(_ path: String) throws -> Ext4Tree { try Ext4Volume(FileVolume(path)).readTree() }

/// Bytes that differ from block to block.
func pattern(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
  var generator = SeededGenerator(seed: seed)
  return generator.bytes(count)
}
