import Diagnostics
import TestSupport
import Testing
import YAML

@Suite("Formatting")
struct FormattingTests {
  private func format(_ text: String) throws -> String {
    String(
      decoding: try formatYAML(
        Array(text.utf8), file: "f.yaml", keyOrder: ["apiVersion", "kind", "metadata", "spec"]),
      as: UTF8.self)
  }

  @Test(
    "texts are laid out in one way",
    arguments: [
      ("", ""), ("\n\n# c\n\n", "# c\n"), ("a:   1", "a: 1\n"),
      ("a: 1   \r\nb: 2\r\n", "a: 1\nb: 2\n"),
      ("a:\n      b: 1\n      c:\n           - 1\n", "a:\n  b: 1\n  c:\n    - 1\n"),
      ("a:\n- 1\n-   b: 2\n    c: 3\n", "a:\n  - 1\n  - b: 2\n    c: 3\n"),
      ("a: {b:   1,c: [1,2]}", "a: {b: 1, c: [1, 2]}\n"), ("a: { }\nb: [  ]", "a: {}\nb: []\n"),
      ("a: {b: 1,\n c: 2}", "a: {\n  b: 1,\n  c: 2}\n"),
      ("spec: 1\nkind: 2\nx: 3\napiVersion: 4", "apiVersion: 4\nkind: 2\nspec: 1\nx: 3\n"),
      ("spec: &a 1\nkind: *a", "spec: &a 1\nkind: *a\n"),
      (
        "# head\nspec: 1\n# about kind\nkind: 2\n# end",
        "# head\n# about kind\nkind: 2\nspec: 1\n# end\n"
      ),
      ("a: 1 # x\n#y\nb: 2", "a: 1  # x\n#y\nb: 2\n"),
      ("a:\n  b: 1\n  # deep\nc: 2", "a:\n  b: 1\n  # deep\nc: 2\n"),
      ("a:\n  b: 1\n# high\nc: 2", "a:\n  b: 1\n# high\nc: 2\n"),
      ("a: # x\n  b: 1", "a:  # x\n  b: 1\n"), ("a: # x\nb:", "a:  # x\nb:\n"),
      ("-   # x\n  a: 1", "# x\n- a: 1\n"), ("- - a\n  -   b\n-  -  c", "- - a\n  - b\n- - c\n"),
      ("a: [1, # one\n 2]", "a: [\n  1,  # one\n  2]\n"),
      ("a: |\n     x\n       y\n\n\n\nb: 1", "a: |\n  x\n    y\n\nb: 1\n"),
      ("a: |+\n     x\n\nb: 1", "a: |+\n  x\n\nb: 1\n"), ("a: |\n  x", "a: |-\n  x\n"),
      ("a: |4\n      x\n     y\n", "a: |2\n    x\n   y\n"),
      ("a: >-  # c\n     x\n     y\n", "a: >-  # c\n  x\n  y\n"),
      ("- |\n x\n- b", "- |\n  x\n- b\n"), ("a: 'x\n\n      y'", "a: 'x\n\n  y'\n"),
      ("a:\n  b\n  c", "a: b\n  c\n"), ("a: &x\n   b: 1\nc: *x", "a: &x\n  b: 1\nc: *x\n"),
      ("a: 1\n---\n---\nb: 2\n...\n", "a: 1\n---\n---\nb: 2\n"), ("---\na: 1", "---\na: 1\n"),
      ("%YAML 1.1\n---\na: 1", "%YAML 1.1\n---\na: 1\n"), ("\u{feff}a: \u{85} 1", "a: 1\n"),
      ("*x : 1", "*x : 1\n"), ("? a\n: b", "a: b\n"), ("a: '#b' #c", "a: '#b'  #c\n"),
      ("a: b#c", "a: b#c\n"), ("\"a: # b\":   c", "\"a: # b\": c\n"), ("[a: b,c]", "[{a: b}, c]\n"),
    ])
  func table(text: String, expected: String) throws {
    let result = try format(text)
    #expect(result == expected)
    #expect(try format(result) == result)
  }

  @Test(
    "what can't be laid out is told with its place",
    arguments: [("a: [\n", "f.yaml:2:1"), ("? [a]\n: b\n", "f.yaml:1:3"), ("a: @", "f.yaml:1:4")])
  func refused(text: String, place: String) {
    let error = #expect(throws: Diagnostics.self) { try format(text) }
    #expect(error?.all.first?.span?.description == place)
  }

  @Test("mutated texts keep their meaning, or are left alone with a place", arguments: 0..<4)
  func mutated(salt: UInt64) throws {
    let seed = UInt64.random(in: 0 ... .max) &+ salt
    var mutator = YAMLMutator(
      seed: seed, corpus: VerdictTests.table.map(\.text) + VerdictTests.manifests)
    var formatted = 0
    for _ in 0..<500 {
      let bytes = mutator.next()
      let text = String(decoding: bytes, as: UTF8.self)
      do throws(Diagnostics) {
        let once = try formatYAML(bytes, file: "f", keyOrder: ["kind"])
        let again = try formatYAML(once, file: "f", keyOrder: ["kind"])
        #expect(again == once, "seed \(seed): \(text)\n\(bytes)")
        formatted += 1
      } catch {
        let isTold = error.all.allSatisfy { $0.span != nil }
        #expect(isTold, "seed \(seed): \(text)")
      }
    }
    #expect(formatted > 50, "seed \(seed)")
  }
}
