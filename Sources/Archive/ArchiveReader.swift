internal import CLibarchive
public import SystemIO

/// Reads a tar archive of any flavour and compression as a stream.
///
/// Names are the archive's bytes: in the C locale libarchive hands a name out unchanged or, where
/// it cannot convert one, falls back to the raw bytes. So a program that calls `setlocale` must
/// not use this type.
///
/// Blocks while it reads; belongs to one thread at a time.
public final class ArchiveReader {
  private let source: ArchiveSource
  private let name: String
  private let limits: ArchiveLimits
  private let allowsMissingEnd: Bool
  private let handle: OpaquePointer
  private var entry: ArchiveEntry?
  private var entries = 0
  private var totalBytes = 0
  /// Once an error was thrown libarchive would repeat it for ever.
  private var failure: ArchiveError?
  private var isAtEnd = false

  /// Opens an archive at the descriptor's position; a pipe will do.
  ///
  /// - Parameter allowsMissingEnd: take an archive without its two blocks of zeros at the end
  ///   for whole. Some writers leave them out; a broken connection does too.
  public init(
    _ descriptor: Descriptor, limits: ArchiveLimits = ArchiveLimits(),
    allowsMissingEnd: Bool = false
  ) throws(ArchiveError) {
    guard let handle = archive_read_new() else {
      throw ArchiveError(
        kind: .system, archive: descriptor.name, path: nil, offset: 0, reason: "no memory")
    }
    source = ArchiveSource(descriptor)
    name = descriptor.name
    self.limits = limits
    self.allowsMissingEnd = allowsMissingEnd
    self.handle = handle
    // Named one by one: `filter_all` would start programs that the input chooses. Where the
    // library lacks one it warns, and the archive is refused as unknown only if it needs it.
    for support in [
      archive_read_support_filter_gzip, archive_read_support_filter_bzip2,
      archive_read_support_filter_xz, archive_read_support_filter_lzma,
      archive_read_support_filter_lzip, archive_read_support_filter_zstd,
      archive_read_support_filter_lz4, archive_read_support_filter_compress,
      archive_read_support_format_tar,
    ] where support(handle) < ARCHIVE_WARN {
      throw error(.system)
    }
    guard source.open(handle) == ARCHIVE_OK else {
      throw openingError()
    }
  }

  deinit { archive_read_free(handle) }

  /// Bytes of the archive file that were read, for progress.
  public var bytesRead: Int { source.bytesRead }

  /// The next entry; nil after the last.
  ///
  /// Data of the entry before that were not read are skipped.
  public func next() throws(ArchiveError) -> ArchiveEntry? {
    if let failure { throw failure }
    if isAtEnd { return nil }
    do throws(ArchiveError) {
      if entry != nil, archive_read_data_skip(handle) < ARCHIVE_WARN { throw error(.damaged) }
      let dataEnd = archive_filter_bytes(handle, 0)
      entry = try readHeader()
      if entry == nil { try checkEnd(after: dataEnd) }
      return entry
    } catch {
      failure = error
      throw error
    }
  }

  /// Reads the current entry's data, piece after piece in ascending order.
  ///
  /// - Parameter body: gets each piece and its offset in the file; what no piece covers is a hole.
  ///   The bytes are valid during the call.
  /// - Returns: warnings, a sentence each.
  /// - Throws: `ArchiveError`, and what `body` throws, after which reading can go on.
  @discardableResult
  public func readData(
    _ body: (UnsafeRawBufferPointer, Int) throws -> Void
  ) throws -> [String] {
    if let failure { throw failure }
    guard let entry else { return [] }
    var warnings: [String] = []
    var reached = 0
    while true {
      var start: UnsafeRawPointer?
      var count = 0
      var offset: la_int64_t = 0
      let status = archive_read_data_block(handle, &start, &count, &offset)
      if status == ARCHIVE_EOF { return warnings }
      if status == ARCHIVE_WARN { warnings.append(message) }
      guard status >= ARCHIVE_WARN else { throw fail(error(.damaged)) }
      if count == 0 { continue }
      guard let position = Int(exactly: offset), position >= reached,
        position <= entry.size, count <= entry.size - position
      else { throw fail(error(.damaged, "data at \(offset) lie outside the file")) }
      reached = position + count
      totalBytes += count
      if let excess = excess() { throw fail(excess) }
      try body(UnsafeRawBufferPointer(start: start, count: count), position)
    }
  }

  /// Notes an error, so that every later call repeats it.
  private func fail(_ error: ArchiveError) -> ArchiveError {
    failure = error
    return error
  }
}

// MARK: - Headers

extension ArchiveReader {
  private func readHeader() throws(ArchiveError) -> ArchiveEntry? {
    var raw: OpaquePointer?
    let status = archive_read_next_header(handle, &raw)
    if status == ARCHIVE_EOF { return nil }
    // A damaged header is "retry": libarchive would search on for something like a header.
    guard status == ARCHIVE_OK || status == ARCHIVE_WARN, let raw else {
      entry = nil
      throw archive_format(handle) == 0 ? openingError() : error(.damaged)
    }
    var decoder = EntryDecoder(raw: raw)
    if status == ARCHIVE_WARN, !isAboutLocale(message) { decoder.warnings.append(message) }
    do {
      entry = try decoder.decode(headerOffset: Int(archive_read_header_position(handle)))
    } catch {
      throw self.error(.damaged, error.reason, path: error.path)
    }
    entries += 1
    if let excess = excess() { throw excess }
    return entry
  }

  /// Whether a warning is only about the C locale, where the raw bytes that we want are kept.
  ///
  /// libarchive has no code that tells this warning from others; a future wording would show up
  /// as a warning in the report, nothing worse.
  private func isAboutLocale(_ message: String) -> Bool {
    message.hasSuffix("to current locale.")
  }

  private func checkEnd(after dataEnd: la_int64_t) throws(ArchiveError) {
    isAtEnd = true
    if allowsMissingEnd || archive_filter_bytes(handle, 0) - dataEnd >= 512 { return }
    throw error(.damaged, "the archive ends without its end mark")
  }

  private func excess() -> ArchiveError? {
    func limit(_ name: String, _ what: String, _ value: Int, _ most: Int) -> ArchiveError? {
      value <= most
        ? nil : error(.limit(name), "\(value) \(what) are more than the limit of \(most)")
    }
    let bytesOut = Int(archive_filter_bytes(handle, 0))
    let attributeBytes =
      entry?.attributes.reduce(0) { $0 + $1.name.count + $1.value.count } ?? 0
    return limit("entries", "entries", entries, limits.entries)
      ?? limit("totalBytes", "bytes", totalBytes, limits.totalBytes)
      ?? limit("filters", "compressions", Int(archive_filter_count(handle)) - 1, limits.filters)
      ?? limit("attributeBytes", "bytes of attributes", attributeBytes, limits.attributeBytes)
      ?? (bytesOut <= limits.ratioGrace
        ? nil
        : limit("ratio", "times its size in data", bytesOut / max(1, bytesRead), limits.ratio))
  }
}

// MARK: - Errors

extension ArchiveReader {
  private var message: String {
    guard let text = archive_error_string(handle) else { return "no reason given" }
    return String(decoding: bytes(of: text), as: UTF8.self)
  }

  private func error(
    _ kind: ArchiveError.Kind, _ reason: String? = nil, path: [UInt8]? = nil
  ) -> ArchiveError {
    ArchiveError(
      kind: source.failure == nil ? kind : .system, archive: name, path: path ?? entry?.path,
      offset: Int(archive_filter_bytes(handle, 0)),
      reason: source.failure?.reason ?? reason ?? message)
  }

  /// The error of an archive of which nothing could be read yet.
  private func openingError() -> ArchiveError {
    bytesRead == 0 && source.failure == nil
      ? error(.empty, "it is empty") : error(.notAnArchive)
  }
}

/// A C string's bytes.
func bytes(of text: UnsafePointer<CChar>) -> [UInt8] {
  var result: [UInt8] = []
  var position = text
  while position.pointee != 0 {
    result.append(UInt8(bitPattern: position.pointee))
    position += 1
  }
  return result
}
