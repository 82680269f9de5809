/// The last stretches of metadata that were read: inodes and directories stand close together.
final class MetadataCache {
  private static let chunk = 1 << 16
  private static let slots = 64

  private let source: any VolumeSource
  private var chunks = [(start: Int, bytes: [UInt8])](
    repeating: (-1, []), count: MetadataCache.slots)

  init(_ source: any VolumeSource) { self.source = source }

  /// Bytes that the caller knows to lie in the volume and in one aligned block of 64 KiB.
  func bytes(at offset: Int, count: Int) throws -> [UInt8] {
    let start = offset & ~(Self.chunk - 1)
    let slot = (start / Self.chunk) % Self.slots
    if chunks[slot].start != start {
      let length = min(Self.chunk, source.size - start)
      chunks[slot] = (start, try source.bytes(at: start, count: length))
    }
    return Array(chunks[slot].bytes[offset - start..<offset - start + count])
  }
}
