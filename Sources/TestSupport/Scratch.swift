internal import Foundation
internal import Synchronization
public import SystemIO

/// A directory of a test's own, removed with all that is in it when the last reference goes.
public final class Scratch: Sendable {
  /// The directory's absolute path.
  public let path: String
  private let cleanups = Mutex<[@Sendable () -> Void]>([])

  /// Makes the directory.
  public init() throws {
    path = NSTemporaryDirectory() + "/ingot-test-" + HostContext.live().makeUUID()
    try makeDirectories(path)
  }

  deinit {
    for cleanup in cleanups.withLock({ $0 }).reversed() { cleanup() }
    // What stays behind is in the temporary directory; a test has nobody to tell.
    try? removeTree(path)
  }

  /// Registers what is undone before the directory goes, last registered first.
  public func onEnd(_ cleanup: @escaping @Sendable () -> Void) {
    cleanups.withLock { $0.append(cleanup) }
  }

  /// The path of something in the directory.
  public func file(_ name: String) -> String { path + "/" + name }

  /// Opens a new empty file in the directory.
  public func create(_ name: String) throws -> Descriptor {
    try Descriptor.open(file(name), [.readWrite, .create, .truncate])
  }

  /// Writes a file in the directory and answers its path.
  @discardableResult
  public func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    try create(name).write(bytes)
    return file(name)
  }

  /// Writes a text to a file in the directory and answers its path.
  @discardableResult
  public func write(_ name: String, _ text: String) throws -> String {
    try write(name, Array(text.utf8))
  }
}
