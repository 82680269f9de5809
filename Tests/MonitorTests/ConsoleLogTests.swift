import SystemIO
import Testing

@testable import Monitor

@Suite("The console's log")
struct ConsoleLogTests {
  private static let host = HostContext.live()

  /// A log whose writer, as QEMU does, holds the file open for appending.
  private func withLog(
    limit: Int, _ body: (ConsoleLog, MachineDirectory, (String) throws -> Void) throws -> Void
  ) throws {
    let directory = MachineDirectory("/tmp/ingot-console-test-\(Self.host.makeUUID())")
    try makeDirectories(directory.path)
    defer { try? removeTree(directory.path) }  // Nothing but litter.
    let log = try ConsoleLog(directory, limit: limit)
    let writer = try Descriptor.open(directory.consoleLog, [.write, .append])
    try body(log, directory) { try writer.write(Array($0.utf8)) }
  }

  private func new(_ log: ConsoleLog) throws -> String {
    var bytes: [UInt8] = []
    try log.readNew { bytes += $0 }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func text(_ path: String) throws -> String {
    String(decoding: try readFile(path), as: UTF8.self)
  }

  @Test("What is over the limit moves to the older file, and the writer goes on in the newer")
  func moves() throws {
    try withLog(limit: 8) { log, directory, write in
      try write("12345678")
      try log.bound()
      #expect(!fileExists(directory.olderConsoleLog))
      try write("9abc")
      try log.bound()
      #expect(try text(directory.olderConsoleLog) == "56789abc")
      #expect(try text(directory.consoleLog) == "")
      try write("de")
      #expect(try text(directory.consoleLog) == "de")
      #expect(String(decoding: try log.tail(4), as: UTF8.self) == "bcde")
      #expect(String(decoding: try log.tail(100), as: UTF8.self) == "56789abcde")
    }
  }

  @Test("The log is its owner's alone")
  func permissions() throws {
    try withLog(limit: 8) { _, directory, _ in
      let status = try Descriptor.open(directory.consoleLog, .read).status()
      #expect(status.mode & 0o777 == 0o600)
    }
  }

  @Test("A boot is read from its beginning, also where that moved to the older file")
  func boot() throws {
    try withLog(limit: 8) { log, directory, write in
      try write("old")
      try log.beginBoot()
      #expect(log.bootStart == 3)
      try write("first")
      #expect(try new(log) == "first")
      #expect(try new(log) == "")
      try write("+more")
      var moved: [Int] = []
      log.onBootMoved = { [unowned log] in moved.append(log.bootStart) }
      try log.bound()
      // Of "oldfirst+more" the last 8 bytes were kept.
      #expect(moved == [-8])
      #expect(try new(log) == "+more")
      try write("!")
      log.rewind()
      #expect(try new(log) == "rst+more!")

      let next = try ConsoleLog(directory, limit: 8)
      try next.resumeBoot(-5)
      #expect(try new(next) == "+more!")
    }
  }

  @Test("A start beyond the log's end is looked for in the older file")
  func staleStart() throws {
    try withLog(limit: 8) { log, directory, write in
      try write("old+boot.")
      try replaceFile(directory.olderConsoleLog, with: Array("old+boot".utf8))
      try Descriptor.open(directory.consoleLog, .write).truncate(to: 0)
      try write("!")
      try log.resumeBoot(4)
      #expect(try new(log) == "boot!")
    }
  }

  @Test("Whoever reads is asked to read all before a part is moved")
  func rotation() throws {
    try withLog(limit: 4) { log, _, write in
      try log.beginBoot()
      var seen = ""
      log.willRotate = { [unowned log] in seen += (try? new(log)) ?? "unreadable" }
      try write("much more than four")
      try log.bound()
      #expect(seen == "much more than four")
      try write("!")
      #expect(try new(log) == "!")
    }
  }
}
