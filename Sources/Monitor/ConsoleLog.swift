internal import SystemIO

/// The serial console's log, which QEMU writes: bounded here, and read for what a boot showed.
///
/// QEMU goes on writing while no monitor runs, so that a later one misses nothing. It holds the file
/// open for appending, so it can't be renamed away under it: what is over the limit is copied to
/// the older file and the file cut to nothing. What the guest writes between the copy's end and
/// the cut is lost, a few bytes at most.
final class ConsoleLog {
  private static let chunk = 1 << 16

  private let directory: MachineDirectory
  private let limit: Int
  private var file: Descriptor
  /// Where this boot's output begins; see `StartedRecord.consoleStart`.
  private(set) var bootStart = 0
  /// How far it was read, counted in the same way.
  private var position = 0
  /// Called when `bootStart` changed.
  var onBootMoved: () -> Void = {}
  /// Called before a part is moved, the last chance to read all of it.
  var willRotate: () -> Void = {}

  /// - Parameter limit: bytes in each of the two files; the newer may exceed it by what QEMU
  ///   wrote since it was looked at.
  init(_ directory: MachineDirectory, limit: Int) throws(SystemError) {
    self.directory = directory
    self.limit = max(1, limit)
    file = try Self.open(directory)
  }

  private static func open(_ directory: MachineDirectory) throws(SystemError) -> Descriptor {
    try Descriptor.open(directory.consoleLog, [.readWrite, .create, .append], permissions: 0o600)
  }

  /// What comes from here on is of a new boot.
  func beginBoot() throws(SystemError) {
    // Again by its name: someone may have removed the file.
    file = try Self.open(directory)
    bootStart = try file.size()
    position = bootStart
    onBootMoved()
  }

  /// Takes up the boot another monitor saw begin.
  func resumeBoot(_ start: Int) throws(SystemError) {
    bootStart = start
    // That monitor ended between the cut and the record of it.
    if start > (try file.size()) { bootStart = min(0, start - (try olderSize())) }
    rewind()
  }

  /// The next reading starts at the beginning of this boot.
  func rewind() { position = bootStart }

  /// Hands over what came since the last reading, in pieces.
  func readNew(_ body: ([UInt8]) -> Void) throws(SystemError) {
    if position < 0 {
      if fileExists(directory.olderConsoleLog) {
        let older = try Descriptor.open(directory.olderConsoleLog, .read)
        // In two steps: `position` below zero counts from that file's end.
        var offset = max(0, try older.size() + position)
        try Self.read(older, from: &offset, body)
      }
      position = 0
    }
    try Self.read(file, from: &position, body)
  }

  /// Moves the log to the older file where it is over the limit.
  func bound() throws(SystemError) {
    let size = try file.size()
    guard size > limit else { return }
    willRotate()
    let temporary = directory.olderConsoleLog + ".new"
    let older = try Descriptor.open(temporary, [.write, .create, .truncate])
    var offset = size - limit
    try copy(to: older, from: &offset)
    try renameFile(temporary, to: directory.olderConsoleLog)
    try copy(to: older, from: &offset)
    try file.truncate(to: 0)
    let kept = try olderSize()
    bootStart = max(bootStart - offset, -kept)
    position = max(position - offset, -kept)
    onBootMoved()
  }

  /// The last bytes written, over both files.
  func tail(_ count: Int) throws(SystemError) -> [UInt8] {
    let size = try file.size()
    var bytes: [UInt8] = []
    if size < count, fileExists(directory.olderConsoleLog) {
      let older = try Descriptor.open(directory.olderConsoleLog, .read)
      var offset = max(0, try older.size() - (count - size))
      try Self.read(older, from: &offset) { bytes += $0 }
    }
    var offset = max(0, size - count)
    try Self.read(file, from: &offset) { bytes += $0 }
    return Array(bytes.suffix(count))
  }

  private func olderSize() throws(SystemError) -> Int {
    guard fileExists(directory.olderConsoleLog) else { return 0 }
    return try Descriptor.open(directory.olderConsoleLog, .read).size()
  }

  private func copy(to older: Descriptor, from offset: inout Int) throws(SystemError) {
    var problem: SystemError?
    try Self.read(file, from: &offset) { bytes in
      guard problem == nil else { return }
      do throws(SystemError) {
        try older.write(bytes)
      } catch {
        problem = error
      }
    }
    // The cut is made all the same: a full disk is a reason for it, not against it.
    if let problem, !problem.isOutOfSpace { throw problem }
  }

  /// Reads to the end the file has now; a guest that writes on and on holds nobody up.
  private static func read(
    _ file: Descriptor, from offset: inout Int, _ body: ([UInt8]) -> Void
  ) throws(SystemError) {
    let end = try file.size()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: chunk, alignment: 16)
    defer { buffer.deallocate() }
    while offset < end {
      let count = try file.read(into: buffer, at: offset)
      if count == 0 { return }
      offset += count
      body(Array(buffer[..<count]))
    }
  }
}
