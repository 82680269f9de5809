internal import CLibarchive
internal import Glibc
public import SystemIO

/// A file that goes into a tar archive.
public struct TarMember: Sendable {
  /// Where its bytes come from.
  public enum Content: Sendable {
    /// Bytes in memory.
    case bytes([UInt8])
    /// A file, from its beginning to the end that it has then.
    case file(Descriptor)
  }

  /// The name: at most 100 bytes, without a directory.
  public var name: String
  /// The content.
  public var content: Content

  /// Makes a member.
  public init(name: String, content: Content) {
    self.name = name
    self.content = content
  }
}

/// Writes a tar archive of the POSIX.1-1988 kind (ustar), in the order given.
///
/// Members belong to user and group 0 and are readable by all; the same members and time give the
/// same bytes. A member has at most 8 GiB, which is what the format holds.
///
/// - Parameters:
///   - progress: is told the bytes of content written so far, and may throw to stop.
/// - Throws: `ArchiveError`, or what `progress` throws.
public func writeTar(
  _ members: [TarMember], time: Timestamp = Timestamp(seconds: 0), to descriptor: Descriptor,
  progress: (Int) throws -> Void = { _ in }
) throws {
  let output = try LibarchiveOutput(name: descriptor.name) { bytes throws(SystemError) in
    try descriptor.write(bytes)
  }
  try output.check(archive_write_set_format_ustar(output.handle))
  try output.check(archive_write_set_bytes_per_block(output.handle, 1 << 16))
  try output.check(archive_write_set_bytes_in_last_block(output.handle, 1))
  try output.open()
  var done = 0
  for member in members {
    guard !member.name.isEmpty, member.name.utf8.count <= 100, !member.name.contains("/") else {
      throw output.error("the file name \(member.name.debugDescription) is not allowed")
    }
    switch member.content {
    case .bytes(let bytes):
      try output.begin(member.name, size: bytes.count, permissions: 0o644, time: time)
      try bytes.withUnsafeBytes { try output.write($0) }
      done += bytes.count
    case .file(let file):
      try copy(file, as: member.name, time, to: output, &done, progress)
    }
    try output.check(archive_write_finish_entry(output.handle))
  }
  try output.check(archive_write_close(output.handle))
}

private func copy(
  _ file: Descriptor, as name: String, _ time: Timestamp, to output: LibarchiveOutput,
  _ done: inout Int, _ progress: (Int) throws -> Void
) throws {
  let size = try file.size()
  guard size < 8 << 30 else {
    throw output.error("\(name) has \(size) bytes, and a tar of this kind holds less than 8 GiB")
  }
  try output.begin(name, size: size, permissions: 0o644, time: time)
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
  defer { buffer.deallocate() }
  var position = 0
  while position < size {
    let room = UnsafeMutableRawBufferPointer(
      rebasing: buffer[..<min(buffer.count, size - position)])
    let count = try file.read(into: room, at: position)
    if count == 0 { throw output.error("\(name) became shorter while it was read") }
    try output.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    position += count
    done += count
    try progress(done)
  }
}
