internal import CLibarchive
internal import Glibc
public import SystemIO

/// A file on an ISO 9660 disc.
public struct DiscFile: Hashable, Sendable {
  /// The name in the disc's one directory: ASCII without `/`, at most 64 characters.
  public var name: String
  /// The content.
  public var content: [UInt8]

  /// Makes a file.
  public init(name: String, content: [UInt8]) {
    self.name = name
    self.content = content
  }
}

/// Writes an ISO 9660 disc with Rock Ridge and Joliet names, such as cloud-init's NoCloud seed.
///
/// The same files give the same bytes. All is held in memory meanwhile.
///
/// - Parameters:
///   - volumeID: what the disc is found by; `CIDATA` for cloud-init. At most 32 of `A`-`Z`, `0`-`9`
///     and `_`.
///   - time: of the disc and of all on it; in the years 1900 to 2155.
public func writeDisc(
  _ files: [DiscFile], volumeID: String, time: Timestamp = Timestamp(seconds: 0),
  to descriptor: Descriptor
) throws(ArchiveError) {
  func unwritable(_ reason: String) -> ArchiveError {
    ArchiveError(
      kind: .unwritable, archive: descriptor.name, path: nil, offset: 0, reason: reason)
  }
  for file in files {
    let isPlain = file.name.utf8.allSatisfy {
      (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "/")
    }
    guard isPlain, (1...64).contains(file.name.utf8.count), file.name != ".", file.name != ".."
    else { throw unwritable("the file name \(file.name.debugDescription) is not allowed") }
  }
  guard Set(files.map(\.name)).count == files.count else {
    throw unwritable("two files have the same name")
  }
  let isVolumeID = volumeID.utf8.allSatisfy {
    (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || $0 == UInt8(ascii: "_")
  }
  guard isVolumeID, (1...32).contains(volumeID.utf8.count) else {
    throw unwritable("the volume id \(volumeID.debugDescription) is not allowed")
  }
  guard let times = DiscTimes(time) else { throw unwritable("the time \(time) is not allowed") }
  let writer = try DiscWriter(name: descriptor.name)
  var bytes = try writer.write(files, volumeID: volumeID, time: time)
  times.apply(to: &bytes)
  do {
    try descriptor.write(bytes)
  } catch {
    throw unwritable(error.reason)
  }
}

/// One disc being written by libarchive into memory.
private final class DiscWriter {
  /// Where libarchive's output gathers.
  final class Output {
    var bytes: [UInt8] = []
  }

  private let name: String
  private let handle: OpaquePointer
  private let output = Output()

  init(name: String) throws(ArchiveError) {
    self.name = name
    guard let handle = archive_write_new() else {
      throw ArchiveError(
        kind: .system, archive: name, path: nil, offset: 0, reason: "no memory")
    }
    self.handle = handle
  }

  deinit { archive_write_free(handle) }

  func write(
    _ files: [DiscFile], volumeID: String, time: Timestamp
  ) throws(ArchiveError) -> [UInt8] {
    try check(archive_write_set_format_iso9660(handle))
    try set("volume-id", volumeID)
    try set("rockridge", "useful")
    try set("joliet", "1")
    try set("pad", nil)
    try check(archive_write_set_bytes_per_block(handle, 1 << 16))
    try check(
      archive_write_open(
        handle, Unmanaged.passUnretained(output).toOpaque(), nil,
        { _, context, start, count in
          guard let context, let start else { return 0 }
          let output = Unmanaged<Output>.fromOpaque(context).takeUnretainedValue()
          output.bytes += UnsafeRawBufferPointer(start: start, count: count)
          return count
        }, nil))
    for file in files { try add(file, time) }
    try check(archive_write_close(handle))
    return output.bytes
  }

  private func add(_ file: DiscFile, _ time: Timestamp) throws(ArchiveError) {
    guard let entry = archive_entry_new() else { throw error("no memory") }
    defer { archive_entry_free(entry) }
    archive_entry_set_pathname(entry, file.name)
    archive_entry_set_filetype(entry, ingot_ae_ifreg)
    archive_entry_set_perm(entry, 0o444)
    archive_entry_set_size(entry, la_int64_t(file.content.count))
    for setTime in [
      archive_entry_set_mtime, archive_entry_set_atime, archive_entry_set_ctime,
    ] {
      setTime(entry, time_t(time.seconds), Int(time.nanoseconds))
    }
    try check(archive_write_header(handle, entry))
    var done = 0
    while done < file.content.count {
      let count = file.content.withUnsafeBytes { bytes in
        archive_write_data(handle, bytes.baseAddress.map { $0 + done }, bytes.count - done)
      }
      // libarchive answers 0 where more comes than it was told; then we would never end.
      if count <= 0 { throw error(nil) }
      done += count
    }
    try check(archive_write_finish_entry(handle))
  }

  private func set(_ option: String, _ value: String?) throws(ArchiveError) {
    try check(archive_write_set_format_option(handle, "iso9660", option, value))
  }

  private func check(_ status: Int32) throws(ArchiveError) {
    if status != ARCHIVE_OK { throw error(nil) }
  }

  private func error(_ reason: String?) -> ArchiveError {
    let text = archive_error_string(handle).map { String(decoding: bytes(of: $0), as: UTF8.self) }
    return ArchiveError(
      kind: .unwritable, archive: name, path: nil, offset: output.bytes.count,
      reason: reason ?? text ?? "no reason given")
  }
}
