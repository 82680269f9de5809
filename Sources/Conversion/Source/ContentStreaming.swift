internal import Ext4
internal import FileTree
internal import SystemIO

/// Streams a scanned tree's contents into a file system, in the order of the sorted walk.
///
/// Readers work ahead; a file too large for one piece is read in pieces, and its holes are kept.
final class ContentStreaming {
  /// Something of a file, in the order in which it has to reach the file system.
  private enum Step {
    case whole(Target)
    case begin(Target)
    case piece(Target, offset: Int, count: Int)
    case end(Target, Descriptor)
  }

  /// A file on its way; shared by the steps of one file.
  private final class Target {
    let node: FileTree.Node
    let path: [[UInt8]]
    let file: SourceFile
    /// Where its content goes; nil where it is held.
    let writer: Ext4Writer?
    var bytes: [UInt8] = []
    /// Where in the file the next byte goes.
    var position = 0
    var failure: ReadFailure?

    init(_ node: FileTree.Node, _ path: [[UInt8]], _ file: SourceFile, _ disk: GuestDisk) {
      self.node = node
      self.path = path
      self.file = file
      writer = HeldFiles.holds(path) ? nil : disk.writer(for: path)
    }

    var name: String { shown(path.joined(separator: [0x2f])) }
  }

  /// An open directory of the walk.
  private struct Level {
    let name: [UInt8]
    var descriptor: Descriptor?
  }

  private let disk: GuestDisk
  private let readers: ReadAhead
  private let meter: Meter
  private var held: HeldFiles
  private var scanned: ScannedTree
  private var contents: [(FileTree.Node, FileContent)] = []
  private var lost: Set<FileTree.Node> = []
  private var steps: [Step] = []
  private var firstStep = 0

  init(
    _ scanned: ScannedTree, to disk: GuestDisk, readers: ReadAhead, heldLimit: Int, meter: Meter
  ) {
    self.scanned = scanned
    self.disk = disk
    self.readers = readers
    self.meter = meter
    held = HeldFiles(limit: heldLimit)
  }

  /// Streams all contents and gives back the tree with what became of them.
  func run() throws -> ScannedTree {
    defer { readers.close() }
    contents.reserveCapacity(scanned.files.count)
    try submitAll()
    while firstStep < steps.count { try consume() }
    try settle()
    return scanned
  }

  private func submitAll() throws {
    var levels: [Level] = [Level(name: [], descriptor: scanned.root)]
    var seen: Set<FileTree.Node> = []
    let files = scanned.files
    let tree = scanned.tree
    for step in tree.walk() {
      levels.removeLast(levels.count - step.depth)
      if tree.isDirectory(step.node) {
        levels.append(Level(name: step.name, descriptor: nil))
        continue
      }
      guard case .regular(.reference(let number, _)) = tree.kind(of: step.node) else { continue }
      if tree.linkCount(of: step.node) > 1, !seen.insert(step.node).inserted { continue }
      let path = levels.dropFirst().map(\.name) + [step.name]
      let target = Target(step.node, path, files[Int(number)], disk)
      switch Self.open(&levels) {
      case .failure(let failure): lose(target, failure)
      case .success(let directory): try submit(target, in: directory)
      }
    }
  }

  /// Opens the innermost directory of the walk, and those above it that aren't open yet.
  private static func open(_ levels: inout [Level]) -> Result<Descriptor, ReadFailure> {
    do throws(SystemError) {
      for index in levels.indices.dropFirst() where levels[index].descriptor == nil {
        let above = levels[index - 1].descriptor
        levels[index].descriptor = try above?.open(levels[index].name, [.read, .directory])
      }
      return (levels.last?.descriptor).map { .success($0) } ?? .failure(.replaced)
    } catch {
      return .failure(.system(error))
    }
  }
}

// MARK: - Asking for pieces

extension ContentStreaming {
  private func submit(_ target: Target, in directory: Descriptor) throws {
    let file = target.file
    if file.size <= ReadAhead.pieceSize, !file.isSparse {
      let name = target.path[target.path.count - 1]
      try submit(.whole(directory: directory, name: name, expected: file), .whole(target))
      return
    }
    switch openChecked(directory, target.path[target.path.count - 1], file) {
    case .failure(let failure): lose(target, failure)
    case .success(let descriptor):
      steps.append(.begin(target))
      var position = 0
      while position < file.size, let data = try Self.data(descriptor, file, from: position) {
        position = data.lowerBound
        while position < min(data.upperBound, file.size) {
          let count = min(ReadAhead.pieceSize, min(data.upperBound, file.size) - position)
          try submit(
            .piece(file: descriptor, offset: position, count: count),
            .piece(target, offset: position, count: count))
          position += count
        }
      }
      steps.append(.end(target, descriptor))
    }
  }

  /// The next stretch that holds data; all that is left of a file without holes.
  private static func data(
    _ descriptor: Descriptor, _ file: SourceFile, from position: Int
  ) throws(SystemError) -> Range<Int>? {
    file.isSparse ? try descriptor.nextData(from: position) : position..<file.size
  }

  private func submit(_ job: ReadAhead.Job, _ step: Step) throws {
    while !readers.hasRoom { try consume() }
    readers.submit(job)
    steps.append(step)
  }
}

// MARK: - Taking pieces

extension ContentStreaming {
  /// Carries out the oldest step.
  private func consume() throws {
    let step = steps[firstStep]
    firstStep += 1
    if firstStep == 4096 {
      steps.removeFirst(firstStep)
      firstStep = 0
    }
    switch step {
    case .whole(let target):
      try readers.next { outcome, bytes in
        if let failure = outcome.failure { return lose(target, failure) }
        try begin(target)
        try put(bytes, target, at: 0)
        try end(target, outcome.status)
      }
    case .begin(let target):
      try begin(target)
    case .piece(let target, let offset, _):
      try readers.next { outcome, bytes in
        target.failure = target.failure ?? outcome.failure
        if target.failure == nil { try put(bytes, target, at: offset) }
      }
    case .end(let target, let descriptor):
      // Unreadable here means unreadable before; the failure is the piece's.
      try end(target, try? descriptor.fullStatus())
    }
  }

  private func begin(_ target: Target) throws {
    guard let writer = target.writer else {
      return try held.add(target.file.size, target.name)
    }
    try writer.beginFile(Array(target.path.joined(separator: [0x2f])))
  }

  private func put(_ bytes: UnsafeRawBufferPointer, _ target: Target, at offset: Int) throws {
    try skip(target, to: offset)
    if let writer = target.writer { try writer.append(bytes) } else { target.bytes += bytes }
    target.position += bytes.count
    try meter.add(bytes.count)
  }

  private func skip(_ target: Target, to offset: Int) throws {
    let count = offset - target.position
    if count <= 0 { return }
    if let writer = target.writer {
      try writer.appendHole(UInt64(count))
    } else {
      target.bytes += [UInt8](repeating: 0, count: count)
    }
    target.position = offset
  }

  private func end(_ target: Target, _ status: FileStatus?) throws {
    try skip(target, to: target.file.size)
    let content = try target.writer?.endFile() ?? .bytes(target.bytes)
    if let failure = target.failure { return lose(target, failure) }
    contents.append((target.node, content))
    guard let status else { return }
    let flags = status.flags & Ext4Writer.keptFlags(ofType: UInt16(status.type))
    if flags != scanned.tree[target.node].flags { scanned.tree[target.node].flags = flags }
    let size = target.file.size
    if Int(clamping: status.size) < size {
      alter(target, "it shrank from \(size) to \(status.size) bytes; the rest reads as zeros")
    } else if Int(clamping: status.size) > size {
      alter(target, "it grew from \(size) to \(status.size) bytes; it was cut at \(size)")
    } else if status.modified != target.file.modified {
      alter(target, "it was written to after the tree was scanned")
    }
  }

  private func alter(_ target: Target, _ reason: String) {
    scanned.changed.append(ConversionReport.Item(path: target.name, reason: reason))
  }

  private func lose(_ target: Target, _ failure: ReadFailure) {
    scanned.dropped.append(ConversionReport.Item(path: target.name, reason: failure.reason))
    lost.insert(target.node)
  }

  /// Puts contents into the tree and takes out all names of what was lost.
  private func settle() throws {
    scanned.files = []
    for (node, content) in contents { try scanned.tree.setContent(content, of: node) }
    contents = []
    if lost.isEmpty { return }
    let names = scanned.tree.walk().filter { lost.contains($0.node) }
    for name in names { try scanned.tree.remove(name.name, from: name.directory) }
  }
}
