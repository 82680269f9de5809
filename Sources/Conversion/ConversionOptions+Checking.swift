internal import DiskImage

extension ConversionOptions {
  /// Refuses what can't be done, before any work.
  func check() throws(ConversionError) {
    if let firmware = boot.first(where: { $0 != "direct" }) {
      throw ConversionError(
        "boot '\(firmware)' is not supported in this release",
        help: "use 'direct', which takes the kernel out of the tree")
    }
    if let size {
      guard size % PartitionTable.alignment == 0, size > 0 else {
        throw ConversionError(
          "the disk's size of \(size) bytes is no multiple of 1 MiB",
          help: "give a size in Mi or Gi")
      }
      guard size >= Self.smallestSize else {
        throw ConversionError(
          "the disk's size of \(size) bytes is \(Self.smallestSize - size) bytes too small for any "
            + "file system", help: "give a larger size or none")
      }
    }
    guard label.utf8.count <= 16 else {
      throw ConversionError(
        "the label '\(label)' has \(label.utf8.count) bytes, and 16 is the most",
        help: "give a shorter one")
    }
    guard !hostName.isEmpty, !hostName.contains(where: { $0 == "\n" || $0 == "/" }) else {
      throw ConversionError("'\(hostName)' is no host name", help: "use letters, digits and dashes")
    }
  }

  /// A journal, an inode table and the partition tables.
  private static let smallestSize = 16 << 20
}
