internal import Crypto
internal import DiskImage
internal import Ext4Reader
internal import FileTree
internal import SystemIO

/// Reads a finished image back and compares it with what was meant to be in it.
///
/// The readers share no code with the writers, so that a mistake in one does not hide in both.
struct ImageVerification {
  /// A partition of an image.
  private struct Volume: VolumeSource {
    let disk: DiskReader
    let offset: Int
    let size: Int

    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int) throws {
      try disk.read(into: buffer, at: offset + position)
    }
  }

  private let disk: DiskReader
  private let threads: Int
  private let cancellation: Cancellation

  /// - Parameter threads: that read and hash contents.
  init(_ disk: DiskReader, threads: Int, cancellation: Cancellation) {
    self.disk = disk
    self.threads = threads
    self.cancellation = cancellation
  }

  /// Compares everything.
  ///
  /// - Throws: `ImageMismatch` with all differences, or what says that the image can't be read.
  func run(_ table: PartitionTable, _ volumes: [WrittenVolume]) throws {
    var differences = try compare(table)
    for volume in volumes {
      var found: [ImageDifference]
      do {
        found = try compare(volume)
      } catch let error as Ext4ReadError {
        found = [ImageDifference(path: [], what: "\(error)")]
      }
      let target = Array(volume.target.utf8.drop { $0 == 0x2f })
      differences += found.map {
        let joined = [target, Array($0.path.drop { $0 == 0x2f })].filter { !$0.isEmpty }
        return ImageDifference(path: Array(joined.joined(separator: [0x2f])), what: $0.what)
      }
    }
    if !differences.isEmpty { throw ImageMismatch(differences) }
  }

  /// Compares the partition tables at both ends of the disk.
  private func compare(_ table: PartitionTable) throws -> [ImageDifference] {
    var differences: [ImageDifference] = []
    func differ(_ what: String) {
      differences.append(ImageDifference(path: Array("partition table".utf8), what: what))
    }
    guard disk.size == table.diskSize else {
      differ("the disk has \(disk.size) bytes and should have \(table.diskSize)")
      return differences
    }
    for piece in table.pieces {
      var found = [UInt8](repeating: 0, count: piece.bytes.count)
      try found.withUnsafeMutableBytes { try disk.read(into: $0, at: piece.offset) }
      guard let index = piece.bytes.indices.first(where: { piece.bytes[$0] != found[$0] }) else {
        continue
      }
      differ(
        "byte \(piece.offset + index) of the disk is \(found[index]) and should be "
          + "\(piece.bytes[index])")
    }
    return differences
  }

  private func compare(_ volume: WrittenVolume) throws -> [ImageDifference] {
    let fileSystem = try Ext4Volume(Volume(disk: disk, offset: volume.offset, size: volume.size))
    var differences: [ImageDifference] = []
    if fileSystem.uuid != volume.uuid || fileSystem.label != volume.label {
      let found = Digest.hexadecimal(fileSystem.uuid)
      differences.append(
        ImageDifference(
          path: [],
          what: "the file system's UUID is \(found), its label '\(shown(fileSystem.label))'; "
            + "they should be \(Digest.hexadecimal(volume.uuid)), '\(shown(volume.label))'"))
    }
    let read = try fileSystem.readTree()
    let comparison = TreeComparison(written: volume.tree, volume.digests, read: read.tree)
    differences += comparison.differences
    let wrong = try compareContents(comparison.contents, in: read)
    if wrong.isEmpty { return differences }
    // Names of files are found by a walk alone, so one is made for all.
    for step in volume.tree.walk() {
      guard let what = wrong[step.node] else { continue }
      let path = volume.tree.path(of: step.directory) + [0x2f] + step.name
      differences.append(ImageDifference(path: path, what: what))
    }
    return differences
  }

  /// What is wrong with contents, by the written tree's nodes.
  private func compareContents(
    _ contents: [TreeComparison.Content], in read: Ext4Tree
  ) throws -> [FileTree.Node: String] {
    let work = Shared(Work())
    var workers: [WorkerThread] = []
    defer { workers.forEach { $0.join() } }
    for _ in 0..<max(1, threads) {
      workers.append(
        try WorkerThread { [cancellation] in
          Self.hash(contents, in: read, work, cancellation)
        })
    }
    workers.forEach { $0.join() }
    workers = []
    try cancellation.check()
    return work.withLock(wake: false) { $0.wrong }
  }

  private struct Work: Sendable {
    var next = 0
    var wrong: [FileTree.Node: String] = [:]
  }

  private static func hash(
    _ contents: [TreeComparison.Content], in read: Ext4Tree, _ work: Shared<Work>,
    _ cancellation: Cancellation
  ) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    defer { buffer.deallocate() }
    // Files that stand together are read together.
    let stride = 16
    while !cancellation.isCancelled {
      let first = work.withLock(wake: false) { state in
        defer { state.next += stride }
        return state.next
      }
      guard first < contents.count else { return }
      for content in contents[first..<min(first + stride, contents.count)] {
        guard let what = problem(content, in: read, buffer, cancellation) else { continue }
        work.withLock(wake: false) { $0.wrong[content.node] = what }
      }
    }
  }

  private static func problem(
    _ content: TreeComparison.Content, in read: Ext4Tree, _ buffer: UnsafeMutableRawBufferPointer,
    _ cancellation: Cancellation
  ) -> String? {
    var hasher = SHA256()
    do {
      try read.read(content.number, through: buffer) {
        try cancellation.check()
        hasher.update(bufferPointer: $0)
      }
    } catch {
      return "its content can't be read: \(error)"
    }
    let digest = Array(hasher.finalize())
    if digest == content.digest { return nil }
    return "its content's SHA-256 is \(Digest.hexadecimal(digest)) and should be "
      + Digest.hexadecimal(content.digest)
  }
}

/// An image that is not what was meant to be written.
public struct ImageMismatch: Error, Hashable, Sendable, CustomStringConvertible {
  private let differences: [ImageDifference]

  init(_ differences: [ImageDifference]) { self.differences = differences }

  /// A line for each difference, with its path and both values.
  public var description: String {
    let lines = differences.map { "/\(printable($0.path)): \($0.what)" }
    let count = differences.count
    return "the image was not written as it was meant to be: \(count) "
      + "difference\(count == 1 ? "" : "s"); nothing was left under its name; report this, and "
      + "check the host's memory and disk\n  " + lines.joined(separator: "\n  ")
  }
}
