public import JSON
public import SystemIO

/// One thing that happened to a machine.
public struct JournalEntry: Hashable, Sendable {
  /// Counts from 1 without gaps, over all the monitors the machine has had.
  public let sequence: Int64
  /// When, by the wall clock.
  public let time: Timestamp
  /// When, in nanoseconds since the host's boot.
  public let uptime: UInt64
  /// What: `starting`, `running`, `adopted`, `qmp`, `status`, `ready`, `unready`, `addresses`,
  /// `request`, `replugged`, `replug-waits`, `replug-failed`, `exited`, `restart`, `unresponsive`,
  /// `responsive`, `monitor-left`.
  public let kind: String
  /// More about it; of `qmp` the event's `event` and `data`.
  public let data: JSONValue

  var json: JSONValue {
    [
      "seq": .integer(sequence), "time": time.json, "uptime": .string("\(uptime)"),
      "kind": .string(kind), "data": data,
    ]
  }

  init(sequence: Int64, time: Timestamp, uptime: UInt64, kind: String, data: JSONValue) {
    self.sequence = sequence
    self.time = time
    self.uptime = uptime
    self.kind = kind
    self.data = data
  }

  init(_ reader: JSONReader) throws(JSONShapeError) {
    sequence = try reader.member("seq").integer(1 ... .max)
    time = try Timestamp(json: reader.member("time"))
    uptime = UInt64(try reader.member("uptime").string()) ?? 0
    kind = try reader.member("kind").string()
    data = reader.value["data"] ?? .null
  }

  /// Reads a directory's entries after a number, oldest first, whether or not a monitor runs.
  ///
  /// A last line without its end was never acted on and is left out.
  public static func read(
    _ directory: MachineDirectory, after sequence: Int64 = 0
  ) throws(SystemError) -> [JournalEntry] {
    var entries: [JournalEntry] = []
    // Rotation may come between the two reads; the sequence tells what was seen already.
    for path in [directory.olderJournal, directory.journal] {
      let bytes: [UInt8]
      do {
        bytes = try readFile(path, limit: Journal.limit * 4)
      } catch  where error.isNotFound {
        continue
      }
      let last = entries.last?.sequence ?? 0
      entries += Journal.parse(bytes).filter { $0.sequence > max(sequence, last) }
    }
    return entries
  }
}

/// The append-only record of what happened: an entry is on stable storage before it is acted on.
final class Journal {
  /// Bytes after which a journal is set aside and a new one begun; two are kept.
  static let limit = 1 << 21

  private let directory: MachineDirectory
  private let host: HostContext
  private var file: Descriptor
  private var size: Int
  private var last: Int64
  private var isNameDurable = false

  init(_ directory: MachineDirectory, _ host: HostContext) throws(SystemError) {
    self.directory = directory
    self.host = host
    last = try JournalEntry.read(directory).last?.sequence ?? 0
    file = try Descriptor.open(directory.journal, [.readWrite, .create, .append])
    let bytes = try file.readAll(limit: Self.limit * 4)
    // A line without its end is what a kill in the middle of a write leaves.
    size = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    if size < bytes.count { try file.truncate(to: size) }
  }

  /// The last entry's number; 0 where there is none.
  var sequence: Int64 { last }

  /// Writes an entry.
  ///
  /// - Parameter durable: wait until it is on stable storage.
  func append(
    _ kind: String, _ data: JSONValue = [:], durable: Bool = true
  ) throws(SystemError) -> JournalEntry {
    if size > Self.limit { try rotate() }
    let entry = JournalEntry(
      sequence: last + 1, time: host.now(), uptime: host.uptime(), kind: kind, data: data)
    let line = Array((entry.json.text() + "\n").utf8)
    try file.write(line)
    if durable {
      try file.synchronize()
      // The first time, the file's name too; not before, since a start need not wait for the disk.
      if !isNameDurable { try synchronizeDirectory(directory.path) }
      isNameDurable = true
    }
    size += line.count
    last += 1
    return entry
  }

  private func rotate() throws(SystemError) {
    try renameFile(directory.journal, to: directory.olderJournal)
    file = try Descriptor.open(directory.journal, [.readWrite, .create, .append])
    size = 0
    try synchronizeDirectory(directory.path)
  }

  static func parse(_ bytes: [UInt8]) -> [JournalEntry] {
    bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
      // Only the torn last line fails to parse, and it was never acted on.
      guard let value = try? JSONValue(parsing: line) else { return nil }
      return try? JournalEntry(JSONReader(value))  // As above.
    }
  }
}
