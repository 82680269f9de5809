import Monitor
import SystemIO
import Testing

@Suite("The text of a console")
struct ConsoleTextTests {
  private static let host = HostContext.live()

  @Test(
    "lines without control sequences",
    arguments: [
      (
        "boot\r\n\u{1b}[0;32mOK\u{1b}[0m started\r\n\r\nlogin: \u{7}",
        ["boot", "OK started", "login: "]
      ),
      ("a\u{1b}[2Jb\u{1b}[3;1Hc", ["a", "b", "c"]), ("50%\r100%\r\n", ["50%", "100%"]),
      ("\u{1b}]0;title\u{7}x\u{1b}P1;2\u{1b}\\y", ["xy"]), ("abc\u{8}\u{8}d\te", ["ad e"]),
      ("\u{1b}(Bg\u{1b}[?25l\u{1b}=h", ["gh"]), ("\u{1b}\u{1b}[1mi", ["i"]), ("\u{8}\u{1b}", []),
    ])
  func lines(sent: String, lines: [String]) {
    #expect(ConsoleText.lastLines(10, of: Array(sent.utf8)) == lines)
  }

  @Test("the last lines that are not blank; none of nothing")
  func last() {
    #expect(ConsoleText.lastLines(2, of: Array("a\r\nb\r\n  \r\nc".utf8)) == ["b", "c"])
    #expect(ConsoleText.lastLines(2, of: []) == [])
    #expect(ConsoleText.lastLines(0, of: Array("a\r\n".utf8)) == [])
    #expect(ConsoleText.lastLines(1, of: Array(repeating: 0x41, count: 1 << 16))[0].count == 200)
  }

  @Test("a line shows no control, no change of direction, and no broken character")
  func text() {
    #expect(ConsoleText.text(Array("a\u{7}\u{202e}b\u{9b}é".utf8)) == "abé")
    #expect(ConsoleText.text([0x61, 0xff, 0xc3]) == "a\u{fffd}\u{fffd}")
  }

  @Test("this boot's bytes, over both files, the newest up to a limit")
  func history() throws {
    let directory = MachineDirectory("/tmp/ingot-console-test-\(Self.host.makeUUID())")
    try makeDirectories(directory.path)
    defer { try? removeTree(directory.path) }  // Nothing but litter.
    func read(_ start: Int?, _ limit: Int = 100) throws -> String {
      let (bytes, isCut) = try ConsoleHistory.read(directory, since: start, limit: limit)
      return String(decoding: bytes, as: UTF8.self) + (isCut ? " cut" : "")
    }
    #expect(try read(nil) == "")
    try replaceFile(directory.consoleLog, with: Array("56789".utf8))
    #expect(try read(nil) == "56789")
    #expect(try read(3) == "89")
    try replaceFile(directory.olderConsoleLog, with: Array("01234".utf8))
    #expect(try read(nil) == "0123456789")
    #expect(try read(nil, 7) == "3456789 cut")
    #expect(try read(-2) == "3456789")
    #expect(try read(-2, 3) == "789 cut")
    #expect(try read(1) == "6789")
    // Moved since the start was recorded, or more than is there.
    #expect(try read(9) == "56789")
    #expect(try read(-99) == "0123456789")
    #expect(try read(5) == "")
  }
}
