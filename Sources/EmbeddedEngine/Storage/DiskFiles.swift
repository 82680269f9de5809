internal import DiskImage
internal import EngineInterface
internal import SystemIO

// Disk files: made whole or not at all, grown, removed. Each can be done again.
extension EmbeddedEngine {
  /// Makes a disk's file where it isn't there yet.
  ///
  /// - Parameter anew: takes the place of a file that is there and has not been used.
  /// - Throws: `EngineError` `missing-data` where it was there once: what is lost is not made empty.
  func makeDisk(
    _ disk: StoredDisk, backing: (path: String, format: DiskFormat)?, anew: Bool = false
  ) throws {
    if fileExists(disk.path), !anew { return }
    guard !disk.isMade else {
      throw EngineError(
        "missing-data", "the data file \(disk.path) is missing", help: Self.missingDataHelp)
    }
    try preparePool(disk.pool)
    let file = try PendingFile(replacing: disk.path)
    if let backing {
      try makeOverlayDisk(
        file.descriptor, virtualSize: disk.virtualSize, backingFile: backing.path,
        backingFormat: backing.format)
    } else {
      try makeEmptyDisk(file.descriptor, format: disk.format, virtualSize: disk.virtualSize)
    }
    try file.commit()
  }

  static let missingDataHelp =
    "put the file back; or name what it belongs to with --replace to make it anew, without its data"

  /// The size a guest sees, by the file itself; nil where the file is missing.
  ///
  /// - Throws: `EngineError` where it is no disk of its format.
  func actualSize(_ disk: StoredDisk) throws -> Int? {
    do {
      let file = try Descriptor.open(disk.path, .read)
      return disk.format == .raw
        ? try file.size() : try inspect(file, format: disk.format).virtualSize
    } catch let error as SystemError where error.isNotFound {
      return nil
    }
  }

  /// Removes the files of all disks of an owner, who is on the way out.
  ///
  /// Where that is cut short and the owner is wanted again after all, none counts as lost.
  func removeDisks(ownedBy uid: String) throws {
    try store.write { db in try StoredDisk.setMade(db, owner: uid, to: false) }
    for disk in try disks(ownedBy: uid) { try removeDisk(disk) }
  }

  /// Removes a disk's file and what a cut-short making left beside it.
  func removeDisk(_ disk: StoredDisk) throws {
    try removeFile(disk.path + ".partial")
    guard fileExists(disk.path) else { return }
    try removeFile(disk.path)
    try synchronizeDirectory(directoryName(disk.path))
  }

  /// Grows a disk that no guest has open.
  func growDisk(_ disk: StoredDisk, to size: Int) throws {
    switch disk.format {
    case .raw:
      let file = try Descriptor.open(disk.path, .readWrite)
      if try file.size() < size { try file.truncate(to: size) }
      try file.synchronize()
    case .qcow2:
      let current = try inspect(Descriptor.open(disk.path, .read), format: .qcow2).virtualSize
      if current < size {
        try runTool(
          programs.qemuImage, ["resize", "-q", "-f", disk.format.rawValue, disk.path, "\(size)"])
      }
    case .vmdk, .vhd, .vhdFixed, .vhdx, .ova:
      throw corruptRow("disks", "\(disk.path) is said to be \(disk.format.rawValue)")
    }
  }

  /// Checks and rounds a size from a specification: whole sectors of 512 bytes.
  static func diskSize(_ size: Int64, of what: String) throws -> Int {
    guard let bytes = Int(exactly: size), bytes > 0, bytes <= 1 << 50 else {
      throw EngineError("invalid", "the size \(size) of \(what) is out of range")
    }
    return (bytes + 511) / 512 * 512
  }

  /// A disk's new size.
  ///
  /// - Throws: `EngineError` where it would shrink.
  static func grownSize(of disk: StoredDisk, to size: Int, what: String) throws {
    guard size >= disk.virtualSize else {
      throw EngineError(
        "unsupported", "\(what) can't shrink from \(disk.virtualSize) to \(size) bytes",
        help: "a disk can only grow; make a new, smaller one and copy the data")
    }
  }
}
