import Diagnostics
import Manifests
import Resources
import Testing

@Suite("Explaining fields")
struct ExplanationTests {
  @Test("a field's type, default, limits and effect are told")
  func field() throws {
    #expect(
      try Explanation(path: "vm.memory.guest").text == """
        VirtualMachine.spec.memory.guest
          The guest's memory, in whole mebibytes.

          type      bytes, such as 2Gi
          default   512Mi
          limits    16Mi to 16Ti
          change    live up to max, else next-boot (stored, takes effect when the guest starts next)

        """)
  }

  @Test(
    "a path is found however it is written",
    arguments: [
      ("vm", ""), ("VirtualMachines", ""), ("vm.spec", "spec"), ("vm.spec.cpu", "spec.cpu"),
      ("vm.disks[root].size", "spec.disks.size"), ("net.metadata.name", "metadata.name"),
      ("image.source.bootstrap.suite", "spec.source.bootstrap.suite"),
      ("Variables", ""), ("variables.NAME.default", "spec.NAME.default"),
      ("patch.operations.op", "spec.operations.op"),
    ])
  func paths(text: String, expected: String) throws {
    #expect(try Explanation(path: text).path == expected)
  }

  @Test(
    "an unknown path names the nearest known one",
    arguments: [
      ("vn", "vm"), ("vm.memroy", "VirtualMachine.memory"), ("", "the kinds are"),
      ("vm.memory.guest.x", "it has no fields"), ("net.dhcp.rnage", "Network.dhcp.range"),
      ("vm.", "it has runStrategy"),
    ])
  func unknown(text: String, help: String) {
    let error = #expect(throws: Diagnostic.self) { try Explanation(path: text) }
    #expect(error?.help?.contains(help) == true, "\(error?.help ?? "")")
  }

  @Test("all fields below are listed with their facts")
  func recursive() throws {
    let text = try Explanation(path: "vm.disks").recursiveText
    #expect(text.hasPrefix("VirtualMachine.spec.disks\n  The disks, in order"))
    #expect(text.contains("bytes, such as 2Gi (1Mi to 64Ti), live, smaller: refused. The size;"))
    let all = try Explanation(path: "vm").recursiveText
    #expect(all.contains("\n    ports ") && all.contains("\n      guest "), "\(all)")
    #expect(
      try Explanation(path: "vm.interfaces.mac").text.contains("  form      write six octets"))
  }

  @Test("every field can be explained", arguments: Kind.allCases)
  func all(kind: Kind) throws {
    func check(_ fields: [Field], _ prefix: String) throws {
      for field in fields {
        let text = try Explanation(path: prefix + field.name).text
        #expect(text.contains(field.doc))
        try check(field.type.fields, prefix + field.name + ".")
      }
    }
    try check(Schema.table(for: kind).fields, kind.shortName + ".")
  }

  @Test("the README's reference is the field tables'")
  func readme() throws {
    let text = try #require(projectText("README.md"))
    let start = try #require(text.firstRange(of: "<!-- fields -->"))
    let end = try #require(text.firstRange(of: "<!-- /fields -->"))
    let section = text[start.upperBound..<end.lowerBound]
    #expect(
      String(section) == "\n\n\(referenceMarkdown())\n",
      "write there what `ingot explain --markdown` prints")
  }
}
