internal import Crypto
internal import FileTree

/// A file system as it was meant to be written, and its place on the disk.
struct WrittenVolume: Sendable {
  /// Where it is mounted: `/`.
  var target: String
  /// Its place on the disk, in bytes.
  var offset: Int
  var size: Int
  /// The 16 bytes that name it.
  var uuid: [UInt8]
  var label: [UInt8]
  var tree: FileTree
  var digests: ContentDigests
}

extension ContentDigests {
  /// The SHA-256 of a regular file's content, or of what a symbolic link says; nil for the rest.
  func digest(of kind: FileKind) -> [UInt8]? {
    switch kind {
    case .regular(.bytes(let bytes)), .symbolicLink(let bytes): Array(SHA256.hash(data: bytes))
    case .regular(.reference(let number, _)): self[number]
    default: nil
    }
  }
}
