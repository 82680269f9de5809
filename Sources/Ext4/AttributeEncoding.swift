internal import FileTree

/// A set of extended attributes cut into what goes into the inode and what into a block.
struct AttributeEncoding {
  /// Bytes behind the inode's fields: 256 - 128 - 32.
  static let inodeRoom = 96
  private static let magic: UInt32 = 0xea02_0000
  private static let blockHead = 32

  /// What follows the inode's fields; empty where nothing does.
  private(set) var inodePart: [UInt8] = []
  private var inBlock: [AttributeEntry] = []

  var needsBlock: Bool { !inBlock.isEmpty }

  /// - Parameter path: for messages.
  init(
    _ attributes: [ExtendedAttribute], path: () -> [UInt8]
  ) throws(Ext4Error) {
    var entries: [AttributeEntry] = []
    for attribute in attributes {
      do throws(AttributeRefusal) {
        entries.append(try AttributeEntry(attribute))
      } catch {
        switch error {
        case .unsupported: throw Ext4Error(path(), .badAttribute(name: attribute.name))
        case .badACL: throw Ext4Error(path(), .badACL(name: attribute.name))
        }
      }
    }
    // The order that the kernel searches a block by.
    entries.sort { a, b in
      if a.namespace != b.namespace { return a.namespace < b.namespace }
      if a.name.count != b.name.count { return a.name.count < b.name.count }
      return a.name.lexicographicallyPrecedes(b.name)
    }
    // Four bytes of zeros end each list.
    var inodeRoom = Self.inodeRoom - 4 - 4
    var blockRoom = Ext4.blockSize - Self.blockHead - 4
    var inInode: [AttributeEntry] = []
    for entry in entries {
      let length = entry.headLength + entry.valueLength
      if length <= inodeRoom {
        inodeRoom -= length
        inInode.append(entry)
      } else {
        blockRoom -= length
        inBlock.append(entry)
      }
    }
    guard blockRoom >= 0 else { throw Ext4Error(path(), .attributesTooLarge) }
    if !inInode.isEmpty { encodeInode(inInode) }
  }

  private mutating func encodeInode(_ entries: [AttributeEntry]) {
    inodePart = [UInt8](repeating: 0, count: Self.inodeRoom)
    inodePart.withUnsafeMutableBytes { bytes in
      bytes.put(Self.magic, at: 0)
      // Offsets of values count from the first entry here, from the block's start there.
      Self.put(entries, into: bytes, from: 4, origin: 4, hashed: false)
    }
  }

  /// The block, for inodes that have the same set.
  ///
  /// - Parameters:
  ///   - number: where it will be; the checksum covers it.
  ///   - uses: how many inodes share it.
  ///   - checksum: the file system's.
  func encodeBlock(
    into bytes: UnsafeMutableRawBufferPointer, number: Int, uses: Int,
    _ checksum: MetadataChecksum
  ) {
    bytes.clear()
    bytes.put(Self.magic, at: 0)
    bytes.putLow32(uses, at: 4)
    bytes.put(UInt32(1), at: 8)
    var hash: UInt32 = 0
    for entry in inBlock {
      let part = entry.hash
      if part == 0 {
        hash = 0
        break
      }
      hash = (hash << 16) ^ (hash >> 16) ^ part
    }
    bytes.put(hash, at: 12)
    Self.put(inBlock, into: bytes, from: Self.blockHead, origin: 0, hashed: true)
    bytes.put(checksum.over(UInt64(number)).over(bytes).value, at: 16)
  }

  /// Entries from the front, values from the end.
  private static func put(
    _ entries: [AttributeEntry], into bytes: UnsafeMutableRawBufferPointer, from start: Int,
    origin: Int, hashed: Bool
  ) {
    var head = start
    var end = bytes.count
    for entry in entries {
      end -= entry.valueLength
      bytes.put(UInt8(truncatingIfNeeded: entry.name.count), at: head)
      bytes.put(entry.namespace, at: head + 1)
      bytes.putLow16(entry.value.isEmpty ? 0 : end - origin, at: head + 2)
      bytes.putLow32(entry.value.count, at: head + 8)
      bytes.put(hashed ? entry.hash : 0, at: head + 12)
      bytes.put(entry.name, at: head + 16)
      bytes.put(entry.value, at: end)
      head += entry.headLength
    }
  }
}
