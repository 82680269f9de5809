internal import Diagnostics
internal import EngineInterface
internal import JSON
internal import Resources

extension Plan {
  /// Whether this program reads plans of a format version: one of the same major version.
  public static func canRead(_ version: String) -> Bool {
    let parts = version.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 2 && parts[0] == formatVersion.prefix { $0 != "." }
      && UInt(parts[1]) != nil
  }

  /// Reads a plan that was written with its resources.
  ///
  /// - Throws: `JSONShapeError`.
  init(_ reader: JSONReader) throws(JSONShapeError) {
    let engine = try reader.member("engine")
    self.init(
      engineID: try engine.member("id").string(),
      generation: try engine.member("generation").integer(), actions: [])
    options = try PlanOptions(reader.member("options"))
    for item in try reader.member("changes").list() { actions.append(try PlannedAction(item)) }
    for item in try reader.member("refused").list() { refused.append(try RefusedAction(item)) }
    for item in try reader.member("drift").list() { drift.append(try PlannedDrift(item)) }
    for item in try reader.member("unchanged").list() { unchanged.append(try item.address()) }
  }
}

extension JSONReader {
  /// An address such as `VirtualMachine/web1`.
  fileprivate func address() throws(JSONShapeError) -> ResourceID {
    let text = try string()
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let kind = Kind(rawValue: String(parts[0])), !parts[1].isEmpty else {
      throw JSONShapeError(path: path, expected: "an address such as Volume/data")
    }
    return ResourceID(kind, String(parts[1]))
  }

  fileprivate func addresses() throws(JSONShapeError) -> [ResourceID] {
    var addresses: [ResourceID] = []
    for item in try list() { addresses.append(try item.address()) }
    return addresses
  }

  fileprivate func effect() throws(JSONShapeError) -> Effect {
    let word = try string()
    guard let effect = Effect.allCases.first(where: { $0.word == word }) else {
      throw JSONShapeError(path: path, expected: "an effect, not '\(word)'")
    }
    return effect
  }

  fileprivate func span() throws(JSONShapeError) -> SourceSpan {
    SourceSpan(
      file: try member("file").string(), line: try member("line").integer(0...Int.max),
      column: try member("column").integer(0...Int.max),
      length: try member("length").integer(0...Int.max))
  }

  fileprivate func labels() throws(JSONShapeError) -> [Resource.Label] {
    guard let members = value.object?.members else {
      throw JSONShapeError(path: path, expected: "an object")
    }
    var labels: [Resource.Label] = []
    for member in members {
      labels.append(
        .init(
          name: member.name,
          value: try JSONReader(member.value, path: "\(path).\(member.name)").string()))
    }
    return labels
  }

  /// A value that is null where it is not set.
  fileprivate func settable(_ name: String) -> JSONValue? { optional(name)?.value }
}

extension PlanOptions {
  fileprivate init(_ reader: JSONReader) throws(JSONShapeError) {
    var scope = PlanScope(
      targets: Set(try reader.member("targets").addresses()),
      excluded: Set(try reader.member("excluded").addresses()))
    for item in try reader.member("selectors").list() {
      do {
        scope.selectors.append(try LabelSelector(try item.string()))
      } catch {
        throw JSONShapeError(path: item.path, expected: "a selector of labels")
      }
    }
    self.init(
      allowRestart: try reader.member("restart").bool(),
      allowReplace: try reader.member("allow_replace").bool(),
      replace: Set(try reader.member("replace").addresses()),
      prune: try reader.member("prune").bool(), set: try reader.member("set").string(),
      takeOver: try reader.member("take_over").bool(), scope: scope)
  }
}

extension Resource {
  fileprivate init(_ id: ResourceID, _ reader: JSONReader) throws(JSONShapeError) {
    var places: [String: SourceSpan] = [:]
    let members = try reader.member("field_sources")
    for member in members.value.object?.members ?? [] {
      places[member.name] = try JSONReader(
        member.value, path: "\(members.path).\(member.name)"
      ).span()
    }
    self.init(
      id, spec: try reader.member("spec").value, labels: try reader.member("labels").labels(),
      annotations: try reader.member("annotations").labels(),
      written: WrittenFields(try reader.member("explicit").strings(), places: places),
      set: try reader.optional("set")?.string(), source: try reader.optional("source")?.span())
  }
}

extension PlannedAction {
  fileprivate init(_ reader: JSONReader) throws(JSONShapeError) {
    let id = try reader.member("address").address()
    func resource() throws(JSONShapeError) -> Resource {
      try Resource(id, reader.member("resource"))
    }
    let verb = try reader.member("action").string()
    let act: Act
    switch verb {
    case "create": act = .create(try resource())
    case "update": act = .update(try resource(), restart: try reader.member("restart").bool())
    case "replace": act = .replace(try resource())
    case "delete": act = .delete(id)
    case "retain": act = .retain(id)
    case "start": act = .start(id)
    case "stop": act = .stop(id)
    default:
      throw JSONShapeError(path: "\(reader.path).action", expected: "an action, not '\(verb)'")
    }
    self.init(
      act, reason: try PlanReason(reader.member("reason")),
      effect: try reader.member("effect").effect(), source: try reader.optional("source")?.span(),
      dependencies: try reader.member("depends_on").addresses(),
      inputs: try reader.optional("inputs")?.string())
    lost = try reader.member("lost").strings()
    for item in try reader.member("fields").list() { changes.append(try FieldChange(item)) }
  }
}

extension PlanReason {
  fileprivate init(_ reader: JSONReader) throws(JSONShapeError) {
    let word = try reader.member("code").string()
    guard let code = Code.allCases.first(where: { $0.word == word }) else {
      throw JSONShapeError(path: "\(reader.path).code", expected: "a reason, not '\(word)'")
    }
    self.init(code, try reader.member("message").string())
  }
}

extension FieldChange {
  fileprivate init(_ reader: JSONReader) throws(JSONShapeError) {
    self.init(
      path: try reader.member("path").string(), before: reader.settable("before"),
      after: reader.settable("after"), effect: try reader.member("effect").effect(),
      note: try reader.optional("note")?.string(), source: try reader.optional("source")?.span())
  }
}

extension PlannedDrift {
  fileprivate init(_ reader: JSONReader) throws(JSONShapeError) {
    self.init(
      try reader.member("address").address(),
      Drift(
        path: try reader.member("path").string(), applied: reader.settable("applied"),
        actual: reader.settable("actual"), effect: try reader.member("effect").effect(),
        note: try reader.optional("note")?.string()),
      isMended: try reader.member("mended").bool())
  }
}

extension RefusedAction {
  fileprivate init(_ reader: JSONReader) throws(JSONShapeError) {
    self.init(
      verb: try reader.member("action").string(), id: try reader.member("address").address(),
      diagnostic: Diagnostic(
        DiagnosticCode(rawValue: try reader.member("code").string()),
        try reader.member("message").string(), path: try reader.member("path").string(),
        at: try reader.optional("source")?.span(), help: try reader.optional("help")?.string()))
  }
}
