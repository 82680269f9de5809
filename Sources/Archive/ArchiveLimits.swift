/// How much an archive may hold before it is refused, so that a hostile one exhausts nothing.
///
/// One further limit is libarchive's own: no special header, such as a pax header with all
/// extended attributes of an entry, is larger than 1 MiB.
public struct ArchiveLimits: Hashable, Sendable {
  /// Entries.
  public var entries = 20_000_000
  /// Bytes of all files together, holes not counted.
  public var totalBytes = 16 << 40
  /// Bytes out for each byte in, over the whole archive once `ratioGrace` bytes came out.
  public var ratio = 2000
  /// Bytes that may come out before `ratio` counts.
  public var ratioGrace = 1 << 30
  /// Bytes of one entry's extended attributes, names and values.
  public var attributeBytes = 1 << 20
  /// Compressions inside each other.
  public var filters = 2

  /// The defaults, which no machine's tree comes near.
  public init() {}
}
