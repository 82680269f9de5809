internal import CLibarchive

/// The names in a cpio archive in memory, compressed as Linux allows for an initramfs or not at
/// all (Documentation/driver-api/early-userspace/buffer-format.rst).
///
/// - Parameter limit: names at most, so that no archive exhausts memory.
/// - Throws: `ArchiveError` where it is no such archive, damaged, or over the limit.
public func cpioNames(
  _ bytes: ArraySlice<UInt8>, name: String, limit: Int = 1_000_000
) throws(ArchiveError) -> [[UInt8]] {
  func failure(_ kind: ArchiveError.Kind, _ reason: String) -> ArchiveError {
    ArchiveError(kind: kind, archive: name, path: nil, offset: 0, reason: reason)
  }
  guard let handle = archive_read_new() else { throw failure(.system, "no memory") }
  defer { archive_read_free(handle) }
  // Those that the kernel knows (lib/decompress.c); one that the library lacks is not taken.
  for support in [
    archive_read_support_filter_gzip, archive_read_support_filter_bzip2,
    archive_read_support_filter_xz, archive_read_support_filter_lzma,
    archive_read_support_filter_zstd, archive_read_support_filter_lz4,
    archive_read_support_format_cpio,
  ] where support(handle) < ARCHIVE_WARN {
    throw failure(.system, "libarchive lacks a format")
  }
  return try bytes.withUnsafeBufferPointer { buffer throws(ArchiveError) in
    func text() -> String {
      archive_error_string(handle).map { String(cString: $0) } ?? "no reason given"
    }
    guard archive_read_open_memory(handle, buffer.baseAddress, buffer.count) == ARCHIVE_OK else {
      throw failure(.notAnArchive, text())
    }
    var names: [[UInt8]] = []
    var entry: OpaquePointer?
    while true {
      let status = archive_read_next_header(handle, &entry)
      if status == ARCHIVE_EOF { return names }
      guard status == ARCHIVE_OK || status == ARCHIVE_WARN else {
        throw failure(names.isEmpty ? .notAnArchive : .damaged, text())
      }
      guard names.count < limit else {
        throw failure(.limit("limit"), "it holds more than \(limit) names")
      }
      if let path = archive_entry_pathname(entry) {
        names.append(cString(path))
      }
    }
  }
}

private func cString(_ text: UnsafePointer<CChar>) -> [UInt8] { bytes(of: text) }
