import Testing

@testable import Conversion

@Suite struct PathPatternsTests {
  @Test(
    "patterns mean what gitignore(5) says",
    arguments: [
      (["*.log"], "var/log/a.log", false, true), (["*.log"], "var/log/a.logs", false, false),
      (["/var/cache"], "var/cache", true, true), (["/cache"], "var/cache", true, false),
      (["var/cache"], "var/cache", true, true), (["cache"], "var/cache", true, true),
      (["cache/"], "var/cache", false, false), (["cache/"], "var/cache", true, true),
      (["**/a"], "x/y/a", false, true), (["x/**/a"], "x/a", false, true),
      (["x/**/a"], "x/y/z/a", false, true), (["x/**"], "x/y/z", false, true),
      (["x/**"], "x", true, false), (["a?c"], "abc", false, true), (["a?c"], "a/c", false, false),
      (["/a*c"], "abbc", false, true), (["/a*c"], "ab/c", false, false),
      (["*.o", "!keep.o"], "keep.o", false, false), (["!keep.o", "*.o"], "keep.o", false, true),
      (["\\*"], "*", false, true), (["\\*"], "x", false, false),
      (["\\!a"], "!a", false, true), (["a**b"], "axxb", false, true), ([""], "a", false, false),
      (["[a-c]x"], "bx", false, true), (["[a-c]x"], "dx", false, false),
      (["[!a-c]x"], "dx", false, true), (["[^a-c]x"], "bx", false, false),
      (["[]]x"], "]x", false, true), (["[a-"], "[a-", false, true),
      (["[a\\]]"], "]", false, true), (["[a-]"], "-", false, true), (["# x"], "# x", false, false),
      (["a  "], "a", false, true), (["a\\ "], "a ", false, true), (["[/]"], "a/b", false, false),
      (["/**/a"], "a", false, true), (["**"], "x/y", false, true),
      (["/a/**/b/*"], "a/b/c", false, true),
    ])
  func patterns(patterns: [String], path: String, isDirectory: Bool, excluded: Bool) {
    let parts = path.split(separator: "/").map { Array($0.utf8) }
    #expect(PathPatterns(excluded: patterns).excludes(parts, isDirectory: isDirectory) == excluded)
  }

  @Test("an include brings back what any exclude leaves out")
  func includes() {
    let patterns = PathPatterns(excluded: ["/var/*", "*.log"], included: ["/var/lib", "!a.log"])
    func excludes(_ path: String) -> Bool {
      patterns.excludes(path.split(separator: "/").map { Array($0.utf8) }, isDirectory: false)
    }
    #expect(excludes("var/cache") && excludes("b.log") && excludes("a.log"))
    #expect(!excludes("var/lib") && !excludes("var/lib/x"))
  }

  @Test("a hostile pattern takes no time that grows beyond the lengths' product")
  func hostilePattern() {
    let pattern = String(repeating: "*a", count: 400) + "b"
    let name = [UInt8](repeating: UInt8(ascii: "a"), count: 4000)
    #expect(!PathPatterns(excluded: [pattern]).excludes([name], isDirectory: false))
  }

  @Test("names that are not UTF-8 are matched byte by byte")
  func bytes() {
    #expect(PathPatterns(excluded: ["a?c"]).excludes([[0x61, 0xff, 0x63]], isDirectory: false))
  }
}
