internal import SystemIO

/// The serial console's log: two files of bounded size, the newer taken up first.
final class ConsoleLog {
  private let directory: MachineDirectory
  private let limit: Int
  private var file: Descriptor
  private var size: Int

  /// - Parameter limit: bytes in each of the two files, at most.
  init(_ directory: MachineDirectory, limit: Int) throws(SystemError) {
    self.directory = directory
    self.limit = max(1, limit)
    file = try Descriptor.open(directory.consoleLog, [.readWrite, .create, .append])
    size = try file.size()
  }

  /// Adds what the guest wrote.
  ///
  /// The guest decides how much comes, so none of it is synchronised.
  func append(_ bytes: [UInt8]) throws(SystemError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      if size >= limit { try rotate() }
      let part = rest.prefix(limit - size)
      try file.write(Array(part))
      size += part.count
      rest = rest.dropFirst(part.count)
    }
  }

  /// The last bytes written, over both files.
  func tail(_ count: Int) throws(SystemError) -> [UInt8] {
    var bytes: [UInt8] = []
    for path in [directory.olderConsoleLog, directory.consoleLog] where fileExists(path) {
      // Twice the limit: an older configuration may have allowed more.
      bytes += try readFile(path, limit: max(limit, 1 << 30))
    }
    return Array(bytes.suffix(count))
  }

  private func rotate() throws(SystemError) {
    try renameFile(directory.consoleLog, to: directory.olderConsoleLog)
    file = try Descriptor.open(directory.consoleLog, [.readWrite, .create, .append])
    size = 0
  }
}
