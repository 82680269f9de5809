import Diagnostics
import JSON
import Resources
import Testing

@Suite("Field tables")
struct SchemaTests {
  /// Every field of a table with its path.
  private func all(_ fields: [Field], _ prefix: String = "") -> [(path: String, field: Field)] {
    fields.flatMap { field in
      [(prefix + field.name, field)] + all(field.type.fields, prefix + field.name + ".")
    }
  }

  @Test("each field is documented in a sentence and can be looked up", arguments: Kind.allCases)
  func documentation(kind: Kind) {
    let schema = Schema.table(for: kind)
    #expect(schema.kind == kind)
    for (path, field) in all(schema.fields) {
      #expect(field.doc.hasSuffix("."), "\(kind.rawValue).\(path)")
      #expect(schema.field(at: path)?.doc == field.doc)
      if field.effect == .refused || field.shrinking == .refused {
        #expect(field.wayRound != nil, "\(path) is refused and doesn't tell the way round")
      }
    }
    #expect(schema.field(at: "lifecycle.deletionProtection") != nil)
    #expect(schema.field(at: "nothing.there") == nil)
  }

  @Test("names in a group are unique", arguments: Kind.allCases)
  func unique(kind: Kind) {
    let paths = all(Schema.table(for: kind).fields).map(\.path)
    #expect(Set(paths).count == paths.count)
  }

  @Test("defaults are within their own limits", arguments: Kind.allCases)
  func defaults(kind: Kind) {
    for (path, field) in all(Schema.table(for: kind).fields) {
      guard let value = field.defaultValue else { continue }
      #expect(!field.isRequired, "\(path) is required and has a default")
      switch field.type {
      case .integer(let limits), .bytes(let limits), .millicores(let limits), .seconds(let limits):
        #expect(value.integer.map(limits.contains) == true, "\(path)")
      case .choice(let words): #expect(value.string.map(words.contains) == true, "\(path)")
      case .bool: #expect(value.bool != nil, "\(path)")
      case .text, .reference: #expect(value.string != nil, "\(path)")
      case .object: #expect(value == [:], "\(path)")
      case .list, .keyedList: #expect(value.array != nil, "\(path)")
      case .map, .any, .oneOf: Issue.record("\(path) has a default")
      }
    }
  }

  @Test("a path with an element's key finds the field, whatever the key holds")
  func keys() {
    let schema = Schema.table(for: .virtualMachine)
    #expect(schema.field(at: "spec.disks[a.b].size")?.name == "size")
    #expect(schema.field(at: "interfaces[lan].ports[53/tcp].host")?.name == "host")
    #expect(schema.text(of: 512, at: "cpu.reservation") == "512m")
  }

  @Test("a damaged specification is a problem, no crash", arguments: Kind.allCases)
  func damaged(kind: Kind) {
    guard kind != .storagePool else { return }
    let problems = Specification.checked(kind, ["cpu": "x", "mode": 5, "size": "y"]).problems
    #expect(problems.map(\.code.rawValue) == ["damaged-specification"])
  }

  @Test("effects go from mild to hard")
  func effects() {
    #expect(Effect.allCases == Effect.allCases.sorted())
    #expect(Effect.nextBoot.word == "next-boot")
  }
}
