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
    guard (1...256).contains(threads ?? 1) else {
      throw ConversionError(
        "\(threads ?? 0) threads can't be started", help: "give a number from 1 to 256")
    }
    for (value, what) in [
      (rateLimit, "rate limit"), (limits.entries, "limit of entries"),
      (limits.bytes, "limit of bytes"), (limits.ratio, "limit of the ratio"),
    ] {
      guard let value, value <= 0 else { continue }
      throw ConversionError("the \(what) of \(value) lets nothing through", help: "give 1 or more")
    }
    guard label.utf8.count <= 16 else {
      throw ConversionError(
        "the label '\(label)' has \(label.utf8.count) bytes, and 16 is the most",
        help: "give a shorter one")
    }
    try checkPartitions()
    guard !hostName.isEmpty, !hostName.contains(where: { $0 == "\n" || $0 == "/" }) else {
      throw ConversionError("'\(hostName)' is no host name", help: "use letters, digits and dashes")
    }
  }

  private func checkPartitions() throws(ConversionError) {
    var targets: Set<String> = []
    for partition in partitions {
      let target = partition.target
      let parts = pathParts(Array(target.utf8))
      let isPath =
        target == "/"
        + parts.map { String(decoding: $0, as: UTF8.self) }
        .joined(separator: "/")
      guard target == PartitionLayout.swap || isPath && !parts.isEmpty && !target.contains("..")
      else {
        throw ConversionError(
          "'\(target)' is no place for a partition", help: "give a path such as /boot, or swap")
      }
      guard targets.insert(target).inserted else {
        throw ConversionError(
          "two partitions are asked for at \(target)", help: "ask for it once")
      }
      guard let size = partition.size else { continue }
      guard size % PartitionTable.alignment == 0, size >= PartitionLayout.smallest else {
        throw ConversionError(
          "the partition for \(target) can't have \(size) bytes: the least is 16 MiB, in steps of "
            + "1 MiB", help: "give a size in Mi or Gi")
      }
    }
  }

  /// A journal, an inode table and the partition tables.
  private static let smallestSize = 16 << 20
}
