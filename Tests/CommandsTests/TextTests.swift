import Testing

@testable import Commands

@Suite("Words, numbers and widths")
struct TextTests {
  @Test(
    "sizes to three digits",
    arguments: [
      (0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (1536, "1.5 KiB"), (1_503_238_553, "1.39 GiB"),
      (10 << 20, "10 MiB"), (Int64.max, "8191 PiB"),
    ] as [(Int64, String)])
  func sizes(bytes: Int64, text: String) { #expect(sizeText(bytes) == text) }

  @Test(
    "ages in one unit",
    arguments: [
      (-5, "0s"), (119, "119s"), (120, "2m"), (7199, "119m"), (7200, "2h"), (172_800, "2d"),
    ] as [(Int64, String)])
  func ages(seconds: Int64, text: String) { #expect(ageText(seconds) == text) }

  @Test(
    "elapsed time",
    arguments: [
      (0, "0.0s"), (450_000_000, "0.4s"), (12_900_000_000, "12s"), (185_000_000_000, "3m05s"),
    ] as [(UInt64, String)])
  func elapsed(nanoseconds: UInt64, text: String) { #expect(elapsedText(nanoseconds) == text) }

  @Test(
    "columns of a terminal",
    arguments: [("web1", 4), ("größe", 5), ("e\u{301}", 1), ("日本", 4), ("🚀", 2), ("\u{7}", 0)])
  func widths(text: String, width: Int) { #expect(displayWidth(text) == width) }

  @Test("cutting counts columns and leaves no half character")
  func cutting() {
    #expect(truncated("hello", to: 5) == "hello")
    #expect(truncated("hello", to: 4) == "hel…")
    #expect(truncated("日本語", to: 4) == "日…")
    #expect(truncated("hello", to: 0) == "")
  }

  @Test("a unified diff shows three lines around a change")
  func diff() {
    let old = (1...12).map { "line \($0)" }
    var new = old
    new[5] = "changed"
    new.append("more")
    #expect(
      DiffView(style: .plain).lines(old, new, from: "a", to: "b") == [
        "--- a", "+++ b", "@@ -3,10 +3,11 @@", " line 3", " line 4", " line 5", "-line 6",
        "+changed", " line 7", " line 8", " line 9", " line 10", " line 11", " line 12", "+more",
      ])
    #expect(DiffView(style: .plain).lines(old, old, from: "a", to: "b").isEmpty)
    #expect(
      DiffView(style: .plain).lines([], ["x"], from: "a", to: "b") == [
        "--- a", "+++ b", "@@ -0,0 +1,1 @@", "+x",
      ])
  }
}
