internal import DiskImage
public import EngineInterface
internal import Glibc
public import Resources
internal import Synchronization
internal import SystemIO

/// A disk image from outside that is to become a volume's file.
public struct DiskAdoption: Sendable, Hashable {
  /// What becomes of the image where it was.
  public enum Way: Sendable, Hashable {
    /// It stays; the volume gets a copy.
    case copy
    /// It becomes the volume's file, under another name on the same file system.
    case move
  }

  /// The image's absolute path.
  public var path: String
  /// Which of the two.
  public var way: Way

  /// Describes an adoption.
  public init(path: String, way: Way = .copy) {
    self.path = path
    self.way = way
  }
}

extension EmbeddedEngine {
  /// Makes a volume whose content is an image from outside, journaled as any act.
  ///
  /// The image is read as the format that the volume declares, never as what it looks like. It must
  /// hold all of its disk itself, be closed, and be as large as the volume. A moved one keeps its
  /// old name until the volume is there, so that nothing that is cut short can lose it.
  ///
  /// - Throws: `EngineError`: `exists`, `refused`, `in-use`, `no-space`.
  public func adopt(
    _ volume: Resource, _ adoption: DiskAdoption,
    progress: @escaping @Sendable (ActProgress) -> Void
  ) async throws -> ActOutcome {
    do {
      var outcome = try await apply(
        .create, volume, adopts: adoption, inputs: nil, progress: progress)
      if adoption.way == .move {
        do {
          try await offload {
            try removeFile(adoption.path)
            try synchronizeDirectory(directoryName(adoption.path))
          }
        } catch {
          outcome.notes.append("its old name is still there: \(error); remove it")
        }
      }
      return outcome
    } catch let error as SimulatedDeath {
      throw error
    } catch {
      throw EngineError.wrapping(error, doing: "import \(adoption.path) as \(volume.id)")
    }
  }

  /// Makes a volume's file of an image from outside; can be done again.
  func adoptDisk(
    _ disk: StoredDisk, _ adoption: DiskAdoption, _ isCancelled: CancelledFlag,
    progress: (ActProgress) -> Void
  ) throws {
    let source = try Descriptor.open(adoption.path, [.read, .nonBlocking])
    try Self.check(source, adoption, disk)
    try preparePool(disk.pool)
    switch adoption.way {
    case .copy: try copy(source, to: disk, isCancelled, progress)
    case .move: try move(source, adoption, to: disk)
    }
  }

  private static func check(
    _ source: Descriptor, _ adoption: DiskAdoption, _ disk: StoredDisk
  ) throws {
    guard try source.status().isRegular else {
      throw EngineError("refused", "\(adoption.path) is no regular file")
    }
    let found = try inspect(source, format: disk.format)
    try found.requireSelfContained(file: adoption.path)
    try found.requireClosed(file: adoption.path)
    if try source.isLocked() {
      throw EngineError(
        "in-use", "\(adoption.path) is open in a running guest or tool",
        help: "shut that guest down first")
    }
    let size = disk.format == .raw ? (found.virtualSize + 511) / 512 * 512 : found.virtualSize
    guard size == disk.virtualSize else {
      throw EngineError(
        "refused",
        "\(adoption.path) is a disk of \(size) bytes, and the volume one of "
          + "\(disk.virtualSize)", help: "declare the volume with the image's size")
    }
  }

  private func copy(
    _ source: Descriptor, to disk: StoredDisk, _ isCancelled: CancelledFlag,
    _ progress: (ActProgress) -> Void
  ) throws {
    let file = try PendingFile(replacing: disk.path)
    let size = try source.size()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    defer { buffer.deallocate() }
    var position = 0
    var reported = 0
    while let data = try source.nextData(from: position), data.lowerBound < size {
      position = data.lowerBound
      while position < min(size, data.upperBound) {
        if isCancelled.isSet { throw CancellationError() }
        let wanted = min(buffer.count, min(size, data.upperBound) - position)
        let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
        let count = try source.read(into: part, at: position)
        guard count > 0 else {
          throw EngineError("refused", "\(source.name) became shorter while it was copied")
        }
        try file.descriptor.write(UnsafeRawBufferPointer(rebasing: part[..<count]), at: position)
        position += count
        guard position - reported >= 8 << 20 else { continue }
        reported = position
        progress(ActProgress(phase: "copying", completed: position, total: size))
      }
    }
    // A hole at the end, and what a raw disk lacks to a whole sector.
    try file.descriptor.truncate(to: disk.format == .raw ? disk.virtualSize : size)
    try file.commit()
  }

  /// Gives the image the volume's name beside its own, which goes once the volume is there.
  private func move(_ source: Descriptor, _ adoption: DiskAdoption, to disk: StoredDisk) throws {
    guard try source.size() % 512 == 0 || disk.format != .raw else {
      throw EngineError(
        "refused", "\(adoption.path) has no whole number of sectors",
        help: "leave out --move; the copy gets the missing bytes")
    }
    try removeFile(disk.path)
    do throws(SystemError) {
      try checked("link", "\(adoption.path) to \(disk.path)") { link(adoption.path, disk.path) }
    } catch {
      guard error.errno == EXDEV || error.errno == EPERM || error.errno == EMLINK else {
        throw error
      }
      throw EngineError(
        "refused", "\(adoption.path) can't be moved into the pool: \(error.reason)",
        help: "leave out --move to copy it; or move it to the pool's file system first")
    }
    try checked("restrict", disk.path) { chmod(disk.path, 0o600) }
    try Descriptor.open(disk.path, .read).synchronize()
    try synchronizeDirectory(directoryName(disk.path))
  }
}

/// Whether a copy under way is to end.
final class CancelledFlag: Sendable {
  private let value = Mutex(false)
  /// Whether it is.
  var isSet: Bool { value.withLock { $0 } }
  /// Makes it so.
  func set() { value.withLock { $0 = true } }
}
