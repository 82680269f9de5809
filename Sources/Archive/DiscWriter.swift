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
  var bytes = try makeDisc(files, volumeID: volumeID, time: time, name: descriptor.name)
  times.apply(to: &bytes)
  do {
    try descriptor.write(bytes)
  } catch {
    throw unwritable(error.reason)
  }
}

/// The bytes of a disc as libarchive makes them.
private func makeDisc(
  _ files: [DiscFile], volumeID: String, time: Timestamp, name: String
) throws(ArchiveError) -> [UInt8] {
  var bytes: [UInt8] = []
  let output = try LibarchiveOutput(name: name) { piece throws(SystemError) in bytes += piece }
  func set(_ option: String, _ value: String?) throws(ArchiveError) {
    try output.check(archive_write_set_format_option(output.handle, "iso9660", option, value))
  }
  try output.check(archive_write_set_format_iso9660(output.handle))
  try set("volume-id", volumeID)
  try set("rockridge", "useful")
  try set("joliet", "1")
  try set("pad", nil)
  try output.check(archive_write_set_bytes_per_block(output.handle, 1 << 16))
  try output.open()
  for file in files {
    try output.begin(file.name, size: file.content.count, permissions: 0o444, time: time)
    try file.content.withUnsafeBufferPointer { content throws(ArchiveError) in
      try output.write(UnsafeRawBufferPointer(content))
    }
    try output.check(archive_write_finish_entry(output.handle))
  }
  try output.check(archive_write_close(output.handle))
  return bytes
}
