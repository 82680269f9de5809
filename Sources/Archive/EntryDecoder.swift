internal import CLibarchive
internal import SystemIO

/// Turns libarchive's entry into ours.
struct EntryDecoder {
  /// Why a header makes no entry.
  struct Malformed: Error {
    let path: [UInt8]?
    let reason: String
  }

  let raw: OpaquePointer
  var warnings: [String] = []

  init(raw: OpaquePointer) { self.raw = raw }

  mutating func decode(headerOffset: Int) throws(Malformed) -> ArchiveEntry {
    guard let text = archive_entry_pathname(raw), text.pointee != 0 else {
      throw Malformed(path: nil, reason: "an entry without a name")
    }
    let path = bytes(of: text)
    let kind = try decodeKind(path)
    let attributes = decodeAttributes()
    let acls = AccessControlLists(raw, known: attributes)
    warnings += acls.warnings
    let mode = archive_entry_mode(raw)
    return ArchiveEntry(
      path: path, kind: kind,
      permissions: acls.permissions(UInt16(truncatingIfNeeded: mode & 0o7777)),
      uid: try number(archive_entry_uid(raw), "owner", path),
      gid: try number(archive_entry_gid(raw), "group", path),
      modified: time(archive_entry_mtime, archive_entry_mtime_nsec),
      accessed: archive_entry_atime_is_set(raw) == 0
        ? nil : time(archive_entry_atime, archive_entry_atime_nsec),
      changed: archive_entry_ctime_is_set(raw) == 0
        ? nil : time(archive_entry_ctime, archive_entry_ctime_nsec),
      created: archive_entry_birthtime_is_set(raw) == 0
        ? nil : time(archive_entry_birthtime, archive_entry_birthtime_nsec),
      size: try number(archive_entry_size(raw), "size", path),
      attributes: attributes + acls.attributes, unresolvedACLEntries: acls.unresolved,
      inodeFlags: decodeFlags(), dataRanges: try decodeSparseMap(path),
      headerOffset: headerOffset, readerWarnings: warnings)
  }

  private func decodeKind(_ path: [UInt8]) throws(Malformed) -> ArchiveEntry.Kind {
    if let target = archive_entry_hardlink(raw) { return .hardLink(bytes(of: target)) }
    switch archive_entry_filetype(raw) {
    case ingot_ae_ifreg: return .regular
    case ingot_ae_ifdir: return .directory
    case ingot_ae_iflnk:
      guard let target = archive_entry_symlink(raw), target.pointee != 0 else {
        throw Malformed(path: path, reason: "a symbolic link without a target")
      }
      return .symbolicLink(bytes(of: target))
    case ingot_ae_ifchr: return .characterDevice(major: try major(path), minor: try minor(path))
    case ingot_ae_ifblk: return .blockDevice(major: try major(path), minor: try minor(path))
    case ingot_ae_ififo: return .fifo
    case ingot_ae_ifsock: return .socket
    case let type:
      throw Malformed(path: path, reason: "file type 0o\(String(type, radix: 8)) is unknown")
    }
  }

  private func major(_ path: [UInt8]) throws(Malformed) -> UInt32 {
    try number(archive_entry_rdevmajor(raw), "major device number", path)
  }

  private func minor(_ path: [UInt8]) throws(Malformed) -> UInt32 {
    try number(archive_entry_rdevminor(raw), "minor device number", path)
  }

  private func number<Value: FixedWidthInteger>(
    _ value: some FixedWidthInteger, _ what: String, _ path: [UInt8]
  ) throws(Malformed) -> Value {
    guard value >= 0, let result = Value(exactly: value) else {
      throw Malformed(path: path, reason: "\(what) \(value) is out of range")
    }
    return result
  }

  private func time(
    _ seconds: (OpaquePointer) -> Int, _ nanoseconds: (OpaquePointer) -> Int
  ) -> Timestamp {
    // libarchive reads a pax header's `-3.25` as 3 seconds before 1970 and a quarter after that.
    let (whole, fraction) = (Int64(seconds(raw)), UInt32(exactly: nanoseconds(raw)) ?? 0)
    guard whole < 0, fraction > 0 else {
      return Timestamp(seconds: whole, nanoseconds: fraction)
    }
    return Timestamp(seconds: whole - 1, nanoseconds: 1_000_000_000 - fraction)
  }

  private func decodeFlags() -> UInt32 {
    var set = 0 as UInt
    var clear = 0 as UInt
    archive_entry_fflags(raw, &set, &clear)
    return UInt32(truncatingIfNeeded: set)
  }

  private func decodeSparseMap(_ path: [UInt8]) throws(Malformed) -> [Range<Int>]? {
    let count = archive_entry_sparse_reset(raw)
    if count <= 0 { return nil }
    var ranges: [Range<Int>] = []
    var offset: la_int64_t = 0
    var length: la_int64_t = 0
    while archive_entry_sparse_next(raw, &offset, &length) == ARCHIVE_OK {
      let (end, overflow) = offset.addingReportingOverflow(length)
      guard offset >= 0, length >= 0, !overflow else {
        throw Malformed(path: path, reason: "a sparse map with \(offset)+\(length)")
      }
      // GNU tar marks the end of a file with an empty stretch.
      if length > 0 { ranges.append(Int(offset)..<Int(end)) }
    }
    return ranges
  }

  private mutating func decodeAttributes() -> [ArchiveEntry.Attribute] {
    var attributes: [ArchiveEntry.Attribute] = []
    archive_entry_xattr_reset(raw)
    var name: UnsafePointer<CChar>?
    var value: UnsafeRawPointer?
    var size = 0
    while archive_entry_xattr_next(raw, &name, &value, &size) == ARCHIVE_OK {
      guard let name else { continue }
      let content = Array(UnsafeRawBufferPointer(start: value, count: value == nil ? 0 : size))
      attributes = merge(
        attributes, [ArchiveEntry.Attribute(name: bytes(of: name), value: content)])
    }
    return attributes
  }

  /// Adds attributes; a later one of the same name replaces the earlier, as pax says of headers.
  private func merge(
    _ attributes: [ArchiveEntry.Attribute], _ more: [ArchiveEntry.Attribute]
  ) -> [ArchiveEntry.Attribute] {
    attributes.filter { old in !more.contains { $0.name == old.name } } + more
  }
}
