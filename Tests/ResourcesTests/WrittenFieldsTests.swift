import Diagnostics
import Resources
import Testing

@Suite("Written fields")
struct WrittenFieldsTests {
  private func mark(_ line: Int32) -> WrittenFields.Mark {
    WrittenFields.Mark(file: 0, line: line, column: 3, length: 2)
  }

  private func machine() -> WrittenFields {
    var fields = WrittenFields(files: ["m.yaml"])
    let spec = fields.addRoot("spec", at: mark(1))
    let disks = fields.addField("disks", in: spec, at: mark(2))
    let root = fields.addElement("root", of: disks, at: mark(3))
    _ = fields.addField("size", in: root, at: mark(4))
    let data = fields.addElement("a.b", of: disks, at: mark(5))
    _ = fields.addField("size", in: data, at: mark(6))
    return fields
  }

  @Test("paths are those of fields, not of roots and elements")
  func paths() {
    #expect(
      machine().paths == ["spec.disks", "spec.disks[root].size", "spec.disks[a.b].size"])
  }

  @Test(
    "a place is found by its whole path alone",
    arguments: [
      ("spec.disks", 2), ("spec.disks[root]", 3), ("spec.disks[root].size", 4),
      ("spec.disks[a.b]", 5), ("spec.disks[a.b].size", 6), ("spec", nil), ("disks", nil),
      ("size", nil), ("spec.disks[b].size", nil), ("spec.disks.root", nil),
      ("spec.disks[root]size", nil), ("x.spec.disks", nil), ("", nil),
    ] as [(String, Int?)])
  func places(path: String, line: Int?) {
    #expect(machine().span(at: path)?.line == line)
  }

  @Test("of two elements with one name the last is meant, and its path is there once")
  func twice() {
    var fields = machine()
    let spec = fields.addRoot("spec")
    _ = fields.addField("disks", in: spec, at: mark(9))
    #expect(fields.span(at: "spec.disks")?.line == 9)
    #expect(fields.paths.count == 3)
  }

  @Test("fields given by their paths equal those that were added one by one")
  func equality() {
    let places = ["spec.disks", "spec.disks[root]", "spec.disks[root].size", "spec.disks[a.b]"]
    let all = places + ["spec.disks[a.b].size"]
    let spans = Dictionary(
      uniqueKeysWithValues: zip(
        all, (2...6).map { SourceSpan(file: "m.yaml", line: $0, column: 3, length: 2) }))
    let flat = WrittenFields(machine().paths.sorted(), places: spans)
    #expect(flat == machine())
    #expect(flat.hashValue == machine().hashValue)
    #expect(WrittenFields(machine().paths) != machine())
    #expect(all.allSatisfy { flat.span(at: $0) == machine().span(at: $0) })
  }
}
