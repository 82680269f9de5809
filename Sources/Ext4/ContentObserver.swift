/// Sees the files' contents on their way into a file system, in the order they are written.
///
/// It is called on the writer's thread, which waits for it.
public protocol ContentObserver: AnyObject {
  /// A file's content begins.
  func beginContent()
  /// Its next bytes; they are gone when this returns.
  func append(_ bytes: UnsafeRawBufferPointer)
  /// Zeros that are not stored come next.
  func appendHole(_ count: Int)
  /// The content ended, and has this number in `FileContent.reference`.
  func endContent(_ number: UInt64)
}
