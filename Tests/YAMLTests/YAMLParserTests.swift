import Diagnostics
import Testing
import YAML

@Suite("YAML parsing")
struct YAMLParserTests {
  private func parse(_ text: String, _ limits: YAMLLimits = YAMLLimits()) -> YAMLStream {
    parseYAML(Array(text.utf8), file: "f.yaml", limits: limits)
  }

  /// A node as one line, texts in quotation marks where they are not plain.
  private func show(_ node: YAMLNode) -> String {
    switch node.content {
    case .scalar(let text, let isPlain): isPlain ? text : "'\(text)'"
    case .sequence(let items): "[" + items.map(show).joined(separator: ",") + "]"
    case .mapping(let pairs):
      "{" + pairs.map { "\($0.key):\(show($0.value))" }.joined(separator: ",") + "}"
    }
  }

  @Test(
    "documents become nodes",
    arguments: [
      ("a: 1\nb: [x, 'y', \"z\"]\n", ["{a:1,b:[x,'y','z']}"]),
      ("", []), ("# only a comment\n", []), ("---\n---\na: 1\n---\n...\n", ["{a:1}"]),
      ("a: 1\n---\nb: 2\n", ["{a:1}", "{b:2}"]), ("\u{feff}a: 1\n", ["{a:1}"]),
      ("{\"a\": null, \"b\": [1]}", ["{a:null,b:[1]}"]),
      ("t: |\n  one\n  two\n", ["{t:'one\ntwo\n'}"]), ("x:\n", ["{x:}"]),
      ("a: &n {k: v}\nb: *n\n", ["{a:{k:v},b:{k:v}}"]),
      ("base: &b {x: 1, y: 2}\nc:\n  <<: *b\n  y: 3\n", ["{base:{x:1,y:2},c:{y:3,x:1}}"]),
      ("c: {<<: [{x: 1}, {x: 2, z: 3}]}\n", ["{c:{x:1,z:3}}"]), ("'<<': 1\n", ["{<<:1}"]),
      ("a: !!str 5\n", ["{a:'5'}"]), ("a: 1\r\nb: 2\r\n", ["{a:1,b:2}"]),
      ("a: &n 1\n---\nb: 1\n", ["{a:1}", "{b:1}"]),
    ])
  func documents(text: String, expected: [String]) {
    let stream = parse(text)
    #expect(stream.diagnostics.map { $0.rendered() } == [])
    #expect(stream.documents.map { show($0.root) } == expected)
  }

  @Test("nodes know their places in characters")
  func marks() throws {
    let stream = parse("é: ü\nlist:\n  - {k: \"two words\"}\n")
    guard case .mapping(let pairs) = try #require(stream.documents.first).root.content else {
      Issue.record("no mapping")
      return
    }
    #expect(pairs[0].value.start == YAMLMark(line: 1, column: 4))
    #expect(pairs[0].value.end == YAMLMark(line: 1, column: 5))
    guard case .sequence(let items) = pairs[1].value.content,
      case .mapping(let inner) = items[0].content
    else {
      Issue.record("no list of groups")
      return
    }
    #expect(inner[0].keyStart == YAMLMark(line: 3, column: 6) && inner[0].keyLength == 1)
    #expect(inner[0].value.markedLength == 11)
  }

  @Test(
    "what can't be read is reported with its place",
    arguments: [
      ("a: [1, 2\nb: 3\n", "f.yaml:2:2", "yaml-syntax"),
      ("a: 'x\n", "f.yaml:2:1", "yaml-syntax"), ("a:\n\tb: 1\n", "f.yaml:2:1", "yaml-syntax"),
      ("a: b: c\n", "f.yaml:1:5", "yaml-syntax"), ("a: @x\n", "f.yaml:1:4", "yaml-syntax"),
      ("é: 1\nb: \u{1}\n", "f.yaml:2:4", "yaml-syntax"),
      ("a: 1\nb: 2\na: 3\n", "f.yaml:3:1", "duplicate-key"),
      ("a: *none\n", "f.yaml:1:4", "yaml-alias"), ("a: &x [*x]\n", "f.yaml:1:8", "yaml-alias"),
      ("a: &x 1\n---\nb: *x\n", "f.yaml:3:4", "yaml-alias"),
      ("? [a]\n: 1\n", "f.yaml:1:3", "yaml-key"), ("<<: 5\n", "f.yaml:1:5", "yaml-key"),
      ("<<: [{a: 1}, 5]\n", "f.yaml:1:14", "yaml-key"),
      ("a: !!binary aGk=\n", "f.yaml:1:4", "yaml-tag"),
      ("a: !own x\n", "f.yaml:1:4", "yaml-tag"),
    ])
  func failures(text: String, place: String, code: String) {
    let problems = parse(text).diagnostics
    #expect(problems.map { $0.span?.description } == [place])
    #expect(problems.map(\.code.rawValue) == [code])
  }

  @Test("bytes that are no UTF-8 are reported with line and column")
  func badUTF8() {
    let stream = parseYAML(Array("a: 1\nb: é".utf8) + [0xff, 0x0a], file: "f.yaml")
    #expect(stream.diagnostics.first?.span?.description == "f.yaml:2:5")
    #expect(stream.diagnostics.first?.message.contains("0xff") == true)
    let wide: [UInt8] = [0xff, 0xfe, 0x61, 0x00, 0x0a, 0x00, 0x62, 0x00, 0x00, 0xdc]
    #expect(parseYAML(wide, file: "f").diagnostics.first?.span?.description == "f:2:2")
  }

  @Test("what YAML allows and manifests don't is reported, and reading goes on")
  func onTop() {
    let stream = parse("a: *none\nb: !own {? [x] : y}\n---\nc: ${v}\n---\n<<: 1\nd: [\n")
    #expect(
      stream.diagnostics.map { "\($0.span?.description ?? "") \($0.code.rawValue)" } == [
        "f.yaml:1:4 yaml-alias", "f.yaml:2:4 yaml-tag", "f.yaml:2:12 yaml-key",
        "f.yaml:6:5 yaml-key", "f.yaml:8:1 yaml-syntax",
      ])
    #expect(stream.documents.map(\.isFlawed) == [true, false])
    #expect(stream.documents.map(\.hasReferences) == [false, true])
  }

  @Test("lines end as YAML's do, in every encoding")
  func lines() {
    let text = "\u{feff}a\rb\r\nc\u{85}é\u{2028}e\u{2029}f\n"
    let wide = text.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
    for bytes in [Array(text.utf8), wide] {
      let lines = YAMLLines(bytes)
      #expect((1...8).map { lines[$0] } == ["a", "b", "c", "é", "e", "f", "", nil])
    }
  }

  @Test("documents before a broken one are kept")
  func documentsBefore() {
    let stream = parse("a: 1\n---\nb: [\n")
    #expect(stream.documents.map { show($0.root) } == ["{a:1}"])
    #expect(stream.diagnostics.count == 1)
  }

  @Test("a duplicate key names the first place and reading goes on")
  func duplicates() {
    let stream = parse("a: 1\na: 2\nb: {c: 1, c: 2}\n")
    #expect(stream.documents.map { show($0.root) } == ["{a:1,b:{c:1}}"])
    #expect(stream.diagnostics.count == 2)
    #expect(stream.diagnostics.first?.help?.contains("f.yaml:1:1") == true)
    let many = (0..<40).map { "k\($0): 0\n" }.joined() + "k7: 1\n"
    #expect(parse(many).diagnostics.first?.help?.contains("f.yaml:8:1") == true)
  }

  @Test("aliases that stand for too much are refused")
  func aliasBomb() {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...30 {
      let alias = "*a\(level - 1)"
      text += "a\(level): &a\(level) [" + Array(repeating: alias, count: 10).joined(separator: ", ")
      text += "]\n"
    }
    #expect(parse(text).diagnostics.map(\.code.rawValue) == ["yaml-limit"])
  }

  @Test("depth and size are limited")
  func limits() {
    let deep = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
    #expect(parse(deep).diagnostics.map(\.code.rawValue) == ["yaml-limit"])
    let bomb = String(repeating: "[", count: 500_000)
    #expect(parse(bomb).diagnostics.map(\.code.rawValue) == ["yaml-limit"])
    var limits = YAMLLimits()
    limits.bytes = 4
    #expect(parse("a: 12", limits).diagnostics.map(\.code.rawValue) == ["yaml-limit"])
  }

  @Test("random bytes are read or refused, and never crash", arguments: 0..<4)
  func randomBytes(salt: UInt64) {
    let seed = UInt64.random(in: 0 ... .max) &+ salt
    var state = seed
    let alphabet = Array("ab:-[]{}&*!|>'\"#%@`,? \n\t\r0<é".utf8) + [0xff, 0x00]
    for _ in 0..<500 {
      let bytes = (0..<40).map { _ -> UInt8 in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return alphabet[Int(state >> 33) % alphabet.count]
      }
      let stream = parseYAML(bytes, file: "f")
      for problem in stream.diagnostics { #expect(problem.span != nil, "seed \(seed): \(bytes)") }
    }
  }
}

@Suite("YAML's core schema")
struct CoreSchemaTests {
  @Test(
    "plain texts stand for values",
    arguments: [
      ("", .null), ("~", .null), ("null", .null), ("NULL", .null), ("nULL", .text("nULL")),
      ("true", .bool(true)), ("False", .bool(false)), ("yes", .text("yes")), ("on", .text("on")),
      ("0", .integer(0)), ("-12", .integer(-12)), ("+3", .integer(3)), ("0x1F", .integer(31)),
      ("0x-1", .text("0x-1")), ("0644", .text("0644")), ("0o644", .text("0o644")),
      ("00", .text("00")),
      ("1.5", .number(1.5)), (".5", .number(0.5)), ("1e3", .number(1000)), ("1.", .number(1)),
      ("-", .text("-")), (".", .text(".")), ("1.2.3", .text("1.2.3")), ("1_000", .text("1_000")),
      (".inf", .text(".inf")), ("12:30", .text("12:30")), ("1e999", .text("1e999")),
      ("9223372036854775808", .text("9223372036854775808")), ("web-1", .text("web-1")),
    ] as [(String, YAMLCoreValue)])
  func values(text: String, expected: YAMLCoreValue) {
    #expect(YAMLCoreValue(plain: text) == expected)
  }
}
