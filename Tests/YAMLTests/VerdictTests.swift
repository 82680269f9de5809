import Diagnostics
import TestSupport
import Testing
import YAML

/// libyaml's verdict is ours: a text that its event loop reads is YAML here too, and one that it
/// refuses is refused with the place it names.
@Suite("libyaml's verdict")
struct VerdictTests {
  /// What libyaml reads and we refuse on top, each with a place.
  private static let onTop: Set<String> = [
    "duplicate-key", "yaml-key", "yaml-tag", "yaml-alias", "yaml-limit",
  ]

  /// Holds our verdict and what we read against libyaml's; tells what differs.
  private func difference(_ bytes: [UInt8]) -> String? {
    let oracle = LibyamlOracle(bytes)
    let ours = parseYAML(bytes, file: "f")
    let syntax = ours.diagnostics.filter { $0.code == "yaml-syntax" }
    let codes = Set(ours.diagnostics.map(\.code.rawValue))
    guard ours.diagnostics.allSatisfy({ $0.span != nil }) else { return "no place" }
    guard codes.subtracting(["yaml-syntax"]).isSubset(of: Self.onTop) else { return "\(codes)" }
    if codes.contains("yaml-limit") {
      // Reading ended before libyaml's; the limit must be reached, by depth or by aliases.
      return oracle.depth > YAMLLimits().depth || oracle.aliases > 0 ? nil : "no limit is reached"
    }
    guard let refusal = oracle.refusal else {
      if let problem = syntax.first { return "libyaml reads it, we say: \(problem.rendered())" }
      return codes.isEmpty && oracle.aliases == 0 ? contentDifference(ours, oracle) : nil
    }
    guard syntax.count == 1, let span = syntax[0].span else {
      return "libyaml refuses it: \(refusal), we say: \(codes)"
    }
    guard let place = refusal.place else {
      let lines = YAMLLines(bytes)
      let line = lines[span.line]
      return line == nil ? "\(span) is outside the text" : nil
    }
    return place == [span.line, span.column] ? nil : "\(span), libyaml says \(place)"
  }

  private func contentDifference(_ ours: YAMLStream, _ oracle: LibyamlOracle) -> String? {
    func scalars(_ node: YAMLNode) -> [String] {
      switch node.content {
      case .scalar(let text, _): [text]
      case .sequence(let items): items.flatMap(scalars)
      case .mapping(let pairs): pairs.flatMap { [$0.key] + scalars($0.value) }
      }
    }
    let expected = zip(oracle.scalars, oracle.emptyDocuments).filter { !$0.1 }.map(\.0)
    // Merging moves keys to the end.
    if expected.contains(where: { $0.contains("<<") }) { return nil }
    let read = ours.documents.map { scalars($0.root) }
    return read == expected ? nil : "we read \(read), libyaml \(expected)"
  }

  /// Texts by hand; `true` where libyaml reads them.
  static let table: [(text: String, isRead: Bool)] = [
    ("", true), ("\u{feff}", true), ("\u{feff}a: 1", true), ("a: 1\n\u{feff}b: 2", false),
    ("---\n...\n---\n...\n", true), ("a: 1\n...\n---\nb: 2\n", true), ("a: 1\n...\nb: 2\n", false),
    ("...\n", false),
    ("a: 1\n... x", false), ("%YAML 1.1\n---\na: 1", true), ("%YAML 1.2\n---\na: 1", true),
    ("%YAML 2.0\n---\na: 1", false), ("%YAML 1.1\n%YAML 1.1\n---\na", false),
    ("%YAML 1.1\na: 1", false), ("%TAG ! !\n---\na: !x 1", true), ("%FOO bar\n---\na: 1", false),
    ("%TAG !e! tag:e.org,2000:\n---\n!e!x a", true), ("!e!x a", false), ("%", false),
    ("a: &x 1\nb: *x", true), ("b: *x", true), ("a: &x 1\nb: &x 2\nc: *x", true),
    ("&a &b c", false), ("&a *b", false), ("*a : b", true), ("a: &", false), ("a: *", false),
    ("<<: {a: 1}", true), ("<<: 1", true), ("a: {<<: [{b: 1}, c]}", true),
    ("? a\n: b", true), ("? [a, b]\n: c", true), ("? {a: b}\n: c", true), ("? a", true),
    ("? \n: ", true), (": a", false), ("{? a : b}", true), ("[a: b]", true), ("[? a]", true),
    ("{a, b}", true), ("{a: }", true), ("{, }", false), ("[,]", false), ("[a,,b]", false),
    ("[a, b, ]", true), ("{a: b, }", true), ("[a", false), ("{a", false), ("]", false),
    ("}", false), ("[a}", false), ("a: ]", false), ("'a", false), ("\"a", false),
    ("'a''b'", true), ("\"\\x41\\u0041\\U00000041\"", true), ("\"\\q\"", false),
    ("\"\\x4\"", false), ("\"\\ud800\"", false), ("\"\\U00110000\"", false), ("\"a\\\n  b\"", true),
    ("\"a\n\n b\"", true), ("'a\n---\nb'", false), ("\"a\n...\nb\"", false), ("\"\u{7f}\"", false),
    ("\"\\0\\a\\b\\e\\N\\_\\L\\P\"", true), ("a: |\n b\n", true), ("a: |+\n b\n\n\n", true),
    ("a: |-2\n   b\n", true), ("a: |2-\n   b\n", true), ("a: |0\n b", false), ("a: |+-\n b", false),
    ("a: |10\n b", false), ("a: >\n b\n  c\n\n d\n", true), ("a: | # c\n b", true),
    ("a: |x\n b", false), ("a: |\n\tb", false), ("a: |\n  \tb", false), ("a: |\n", true),
    ("- |\n - >\n", true), ("a:\n  b: 1\n c: 2", false), ("a: b: c", false), ("a: - b", false),
    ("- a\n b", true), ("- a\n- b\nc: d", false), ("a: 1\n- b", false), ("-", true),
    ("- - - a", true),
    ("-a", true), ("--- a", true), ("--- a: b", false), ("--- |\n a", true), ("---a", true),
    ("a\tb: c", true), ("\ta: b", false), ("a:\n\tb: 1", false), ("a:\t1", true), ("- \ta", false),
    ("a: 1 #c", true), ("a: 1#c", true), ("#", true), ("a: @b", false), ("a: `b", false),
    ("a: %b", false), ("a: b%c", true), ("a:b", true), ("a::b", true), ("a: :b", true),
    ("a: ?b", true), ("a: -b", true), ("http://x:80/y", true), ("a: {b: http://x}", true),
    ("{a:1}", true), ("{\"a\":1}", true), ("{\"a\":[1,2]}", true), ("[\"a\":1]", true),
    ("a: 1\rb: 2\r", true), ("a: 1\u{85}b: 2", true), ("a: 1\u{2028}b: 2", true),
    ("a: 1\u{2029}b: [", false), ("a: 1\u{85}\u{85}b: }", false), ("a: 1\r\r\nb: @", false),
    ("a: \"b\u{2028}c\"", true), ("a: |\n b\u{2028} c\n", true), ("\u{0}", false),
    ("a: \u{1}", false), ("a: \u{1b}[0m", false), ("a: \u{85}", true), ("a: \u{9f}", false),
    ("a: \u{fffe}", false), ("a: \u{ffff}", false), ("a: \u{fffd}", true), ("a: \u{1f600}", true),
    ("\u{e9}: \u{fc}\n@", false), ("a: 1\na: 2", true), ("!!str a", true), ("!<tag:x> a", true),
    ("!<tag:x a", false), ("!!binary aGk=", true), ("! a", true), ("!a!b!c d", false),
    ("a: !!set {b, c}", true), ("- !!omap [a: 1]", true), ("a: !", true), ("!\u{1f600} a", false),
    ("{a: b}}", false), ("[]]", false), ("a: []b", false), ("a: 'b' c", false),
    ("a: \"b\": c", false),
    ("'a': b", true), ("'a' : b", true), ("a :b", true), ("a : b", true), ("\"a\nb\": c", false),
    ("? \"a\n b\"\n: c", true), ("a\nb: c", false), ("a\n b: c", false), ("a:\n- b\n-c", false),
    ("a:\n- b\n- c\nd: e", true), ("a: 1\n\n\n# c\n\nb: 2\n\n", true), ("  a: 1\n b: 2", false),
  ]

  @Test("a text by hand is judged as libyaml judges it", arguments: table)
  func byHand(text: String, isRead: Bool) {
    let bytes = Array(text.utf8)
    #expect((LibyamlOracle(bytes).refusal == nil) == isRead, "the table is wrong")
    #expect(difference(bytes) == nil)
    #expect(difference(utf16(text, isBigEndian: false)) == nil)
    #expect(difference(utf16(text, isBigEndian: true)) == nil)
  }

  @Test("long keys, deep nests and large scalars are judged as libyaml judges them")
  func large() {
    let key = String(repeating: "k", count: 1024)
    for text in [
      "\(key): 1", "\(key.dropLast()): 1", "{\(key): 1}", "? \(key)\n: 1",
      "a: " + String(repeating: "x", count: 3 << 20),
      "a: |\n" + String(repeating: " x\n", count: 200_000),
      String(repeating: "[", count: 100) + String(repeating: "]", count: 100),
      String(repeating: "[", count: 101) + String(repeating: "]", count: 101),
      String(repeating: "[", count: 2000), String(repeating: "- ", count: 99) + "a",
      String(repeating: "- ", count: 2000) + "a", String(repeating: "{a: ", count: 90),
      "a: &a [x]\n" + String(repeating: "b: *a\n", count: 500),
    ] {
      #expect(difference(Array(text.utf8)) == nil, "\(text.prefix(40))")
    }
  }

  @Test(
    "bytes that are no text are refused as libyaml refuses them",
    arguments: [
      [0xff], [0x61, 0x80], [0xc0, 0x80], [0xc3], [0xe2, 0x80], [0xed, 0xa0, 0x80],
      [0xf4, 0x90, 0x80, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80], [0xef, 0xbb],
      [0xef, 0xbb, 0xbf, 0xff],
      [0xff, 0xfe], [0xfe, 0xff], [0xff, 0xfe, 0x61], [0xff, 0xfe, 0x61, 0x00],
      [0xff, 0xfe, 0x00, 0xd8],
      [0xff, 0xfe, 0x00, 0xdc, 0x61, 0x00], [0xfe, 0xff, 0xd8, 0x00, 0x00, 0x61],
      [0x61, 0x00, 0x3a, 0x00],
      [0x00, 0x61], [0xff, 0xfe, 0x00, 0x00, 0x61, 0x00],
    ] as [[UInt8]])
  func noText(bytes: [UInt8]) {
    #expect(difference(bytes) == nil)
    #expect(difference(Array("a: 1\nb: ".utf8) + bytes) == nil)
  }

  @Test("mutated texts are judged as libyaml judges them", arguments: 0..<4)
  func mutated(salt: UInt64) {
    let seed = UInt64.random(in: 0 ... .max) &+ salt
    var mutator = YAMLMutator(seed: seed, corpus: Self.table.map(\.text) + Self.manifests)
    var read = 0
    var refused = 0
    for _ in 0..<500 {
      let bytes = mutator.next()
      if let difference = difference(bytes) {
        Issue.record(
          "seed \(seed): \(difference)\n\(String(decoding: bytes, as: UTF8.self))\n\(bytes)")
      }
      if LibyamlOracle(bytes).refusal == nil { read += 1 } else { refused += 1 }
    }
    // Neither verdict may be so rare that the comparison says nothing.
    #expect(min(read, refused) > 50, "seed \(seed): \(read) read, \(refused) refused")
  }

  static let manifests = [
    """
    # a machine
    apiVersion: ingot/v1
    kind: VirtualMachine
    metadata: {name: web1, labels: {app: "web"}}
    spec:
      cpu: {count: 2}
      memory:
        guest: 512Mi
      disks:
        - {name: root, image: debian-12}
        - name: data
          volume: 'web1-data'
      cloudInit:
        userData: |
          #!/bin/sh
          echo "hello: world"
    ---
    apiVersion: ingot/v1
    kind: Network
    metadata: &m {name: lab}
    spec: {mode: user}
    """,
    "base: &b {x: 1, y: [a, b]}\nc:\n  <<: *b\n  z: >-\n    folded\n    text\n\nd: [*b, *b]\n",
    "- 'it''s'\n- \"tab\\t\\u263a\"\n- ? k\n  : v\n- !!str 5\n- {a: [1, {b: c}], d: ~}\n",
  ]

  private func utf16(_ text: String, isBigEndian: Bool) -> [UInt8] {
    ([0xfeff] + text.utf16).flatMap { unit -> [UInt8] in
      let (high, low) = (UInt8(unit >> 8), UInt8(unit & 255))
      return isBigEndian ? [high, low] : [low, high]
    }
  }
}
