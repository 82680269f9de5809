internal import CLibarchive
internal import SystemIO

/// A libarchive writer whose output goes to a function of ours.
final class LibarchiveOutput {
  /// The library's handle, for its calls.
  let handle: OpaquePointer
  private let name: String
  private let take: (UnsafeRawBufferPointer) throws(SystemError) -> Void
  private var failure: SystemError?
  private var written = 0

  /// - Parameters:
  ///   - name: of the archive, for messages.
  ///   - take: is given the output piece by piece.
  init(
    name: String, _ take: @escaping (UnsafeRawBufferPointer) throws(SystemError) -> Void
  ) throws(ArchiveError) {
    self.name = name
    self.take = take
    guard let handle = archive_write_new() else {
      throw ArchiveError(
        kind: .system, archive: name, path: nil, offset: 0, reason: "no memory")
    }
    self.handle = handle
  }

  deinit { archive_write_free(handle) }

  /// Begins the output; the format must have been set.
  func open() throws(ArchiveError) {
    try check(
      archive_write_open(
        handle, Unmanaged.passUnretained(self).toOpaque(), nil,
        { _, context, start, count in
          guard let context, let start else { return 0 }
          let output = Unmanaged<LibarchiveOutput>.fromOpaque(context).takeUnretainedValue()
          return output.pass(UnsafeRawBufferPointer(start: start, count: count))
        }, nil))
  }

  private func pass(_ bytes: UnsafeRawBufferPointer) -> Int {
    do {
      try take(bytes)
      written += bytes.count
      return bytes.count
    } catch {
      failure = error
      return -1
    }
  }

  /// Writes the header of a regular file with equal times.
  func begin(_ file: String, size: Int, permissions: UInt16, time: Timestamp) throws(ArchiveError) {
    guard let entry = archive_entry_new() else { throw error("no memory") }
    defer { archive_entry_free(entry) }
    archive_entry_set_pathname(entry, file)
    archive_entry_set_filetype(entry, ingot_ae_ifreg)
    archive_entry_set_perm(entry, mode_t(permissions))
    archive_entry_set_size(entry, la_int64_t(size))
    for setTime in [
      archive_entry_set_mtime, archive_entry_set_atime, archive_entry_set_ctime,
    ] {
      setTime(entry, time_t(time.seconds), Int(time.nanoseconds))
    }
    try check(archive_write_header(handle, entry))
  }

  /// Writes bytes of the file that was begun.
  func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
    var done = 0
    while done < bytes.count {
      let count = archive_write_data(
        handle, bytes.baseAddress.map { $0 + done }, bytes.count - done)
      // libarchive answers 0 where more comes than it was told; then we would never end.
      if count <= 0 { throw error(nil) }
      done += count
    }
  }

  /// Throws where a call of the library did not answer that all is well.
  func check(_ status: Int32) throws(ArchiveError) {
    if status != ARCHIVE_OK { throw error(nil) }
  }

  /// The error for a call that failed; the library's words where no reason is given.
  func error(_ reason: String?) -> ArchiveError {
    let text = archive_error_string(handle).map { String(decoding: bytes(of: $0), as: UTF8.self) }
    return ArchiveError(
      kind: .unwritable, archive: name, path: nil, offset: written,
      reason: failure?.reason ?? reason ?? text ?? "no reason given")
  }
}
