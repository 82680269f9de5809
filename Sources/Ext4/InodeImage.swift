internal import FileTree

/// An inode's fields, on their way into 256 bytes.
struct InodeImage {
  var mode: UInt16
  var uid: UInt32 = 0
  var gid: UInt32 = 0
  var size = 0
  var links = 1
  /// Blocks of 4,096 bytes, those of extent trees and attributes among them.
  var blocks = 0
  var flags: UInt32 = 0
  var accessed: FileTime
  var modified: FileTime
  var changed: FileTime
  var created: FileTime
  /// 60 bytes: an extent tree's root, a short link's target or a device number.
  var root: [UInt8]
  var attributeBlock = 0
  var attributes: [UInt8] = []

  static let extentsFlag: UInt32 = 0x80000
  static let indexFlag: UInt32 = 0x1000

  /// Writes the inode.
  ///
  /// - Returns: how many time stamps were out of range.
  func encode(
    into bytes: UnsafeMutableRawBufferPointer, _ checksum: MetadataChecksum
  ) -> Int {
    bytes.put(mode, at: 0x00)
    bytes.putLow16(Int(uid), at: 0x02)
    bytes.putLow32(size, at: 0x04)
    bytes.putLow16(Int(gid), at: 0x18)
    bytes.putLow16(links, at: 0x1a)
    // In units of 512 bytes, 48 bits with feature huge_file.
    bytes.putLow32(blocks * 8, at: 0x1c)
    bytes.put(flags, at: 0x20)
    bytes.put(root, at: 0x28)
    bytes.putLow32(attributeBlock, at: 0x68)
    bytes.putLow32(size >> 32, at: 0x6c)
    bytes.putLow16(blocks * 8 >> 32, at: 0x74)
    bytes.putLow16(attributeBlock >> 32, at: 0x76)
    bytes.putLow16(Int(uid >> 16), at: 0x78)
    bytes.putLow16(Int(gid >> 16), at: 0x7a)
    // i_extra_isize: the fields up to i_projid.
    bytes.putLow16(32, at: 0x80)
    let clamped =
      Self.put(accessed, bytes, 0x08, extra: 0x8c) + Self.put(changed, bytes, 0x0c, extra: 0x84)
      + Self.put(modified, bytes, 0x10, extra: 0x88) + Self.put(created, bytes, 0x90, extra: 0x94)
    bytes.put(attributes, at: 0xa0)
    let sum = checksum.over(bytes)
    bytes.putLow16(sum.low, at: 0x7c)
    bytes.putLow16(sum.high, at: 0x82)
    return clamped
  }

  /// 34 bits of seconds: a signed low word and two more bits above, from 1901 to 2446.
  private static func put(
    _ time: FileTime, _ bytes: UnsafeMutableRawBufferPointer, _ offset: Int, extra: Int
  ) -> Int {
    let range = -(Int64(1) << 31)...(Int64(3) << 32) + (1 << 31) - 1
    let seconds = min(max(time.seconds, range.lowerBound), range.upperBound)
    let low = Int32(truncatingIfNeeded: seconds)
    let epoch = UInt32(truncatingIfNeeded: (seconds - Int64(low)) >> 32) & 3
    bytes.put(UInt32(bitPattern: low), at: offset)
    bytes.put(min(time.nanoseconds, 999_999_999) << 2 | epoch, at: extra)
    return seconds == time.seconds ? 0 : 1
  }
}
