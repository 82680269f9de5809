internal import Diagnostics
internal import JSON
internal import Resources

extension Resource {
  /// Whether deleting and replacing it is refused.
  var isProtected: Bool { spec["lifecycle"]?["deletionProtection"]?.bool ?? false }

  /// Whether it is kept when it is swept away with others.
  var isRetained: Bool { spec["lifecycle"]?["deletionPolicy"]?.string == "Retain" }

  /// The values at a path that passes lists without naming elements, each with its own path.
  func values(at path: String) -> [(path: String, value: JSONValue)] {
    var found: [(path: String, value: JSONValue)] = [("spec", spec)]
    var fields = Schema.table(for: id.kind).fields
    for name in path.split(separator: ".").drop(while: { $0 == "spec" }).map(String.init) {
      guard let field = fields.first(where: { $0.name == name }) else { return [] }
      fields = field.type.fields
      var next: [(path: String, value: JSONValue)] = []
      for (path, value) in found {
        guard let value = value[name], !value.isNull else { continue }
        let path = "\(path).\(name)"
        guard !field.type.fields.isEmpty, let items = value.array else {
          next.append((path, value))
          continue
        }
        for (index, item) in items.enumerated() {
          next.append(("\(path)[\(field.type.elementKey(of: item) ?? String(index))]", item))
        }
      }
      found = next
    }
    return found
  }
}

extension Diagnostic {
  /// The refusal to destroy or replace what is protected.
  static func protected(
    _ resource: Resource, _ what: String, at span: SourceSpan? = nil
  ) -> Diagnostic {
    Diagnostic(
      "protected", "\(resource.id) would be \(what)", path: "spec.lifecycle.deletionProtection",
      at: span ?? resource.source,
      help: "apply 'lifecycle: {deletionProtection: false}' first, then this change")
  }

  /// The refusal to destroy by its name what is to be retained.
  static func retained(_ resource: Resource) -> Diagnostic {
    Diagnostic(
      "retained", "\(resource.id) is to be retained", path: "spec.lifecycle.deletionPolicy",
      at: resource.source,
      help: "apply 'lifecycle: {deletionPolicy: Delete}' first, then destroy it")
  }

  /// The refusal to act on what another apply set holds.
  static func otherSet(
    _ id: ResourceID, _ other: String, not set: String, at span: SourceSpan? = nil
  ) -> Diagnostic {
    Diagnostic(
      "other-set", "\(id) belongs to the apply set '\(other)', and this is '\(set)'", at: span,
      help: "pass --set \(other), or --take-over to make it one of '\(set)'")
  }
}

extension FieldChange {
  /// The change where no guest notices it.
  var withoutEffect: FieldChange {
    var change = self
    change.effect = .none
    return change
  }
}
