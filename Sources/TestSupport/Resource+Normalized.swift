public import Diagnostics
public import JSON
public import Resources

extension Resource {
  /// A resource of a specification in which only what matters to a test is set: members come in the
  /// order of the field table and defaults are filled in, as decoding does.
  public static func normalized(
    _ kind: Kind, _ name: String, _ spec: JSONValue = [:], labels: [Label] = [],
    set: String? = nil, source: SourceSpan? = nil, fieldSources: [String: SourceSpan] = [:]
  ) -> Resource {
    Resource(
      ResourceID(kind, name), spec: filled(spec, Schema.table(for: kind).fields), labels: labels,
      written: WrittenFields(
        paths(spec, Schema.table(for: kind).fields, "spec"), places: fieldSources),
      set: set, source: source)
  }

  /// The resource with another value at a top-level field or, by a dot, one below.
  public func with(_ path: String, _ value: JSONValue?) -> Resource {
    var spec = spec
    let names = path.split(separator: ".").map(String.init)
    if names.count == 2 {
      var group = spec[names[0]] ?? [:]
      group[names[1]] = value
      spec[names[0]] = group
    } else {
      spec[path] = value
    }
    var copy = self
    let fields = Schema.table(for: id.kind).fields
    copy.spec = Resource.filled(spec, fields)
    let place = "spec.\(path)"
    var paths = written.paths.filter { path in
      path != place && ![".", "["].contains { path.hasPrefix(place + $0) }
    }
    if value != nil {
      let set = Resource.paths(spec, fields, "spec").filter { $0.hasPrefix(place) }
      paths += set + ["spec.\(names[0])"]
    }
    copy.written = WrittenFields(paths, places: written.places)
    return copy
  }

  /// The paths of all that a specification sets, as loading a manifest tells them.
  public static func paths(in spec: JSONValue, of kind: Kind) -> [String] {
    paths(spec, Schema.table(for: kind).fields, "spec")
  }

  private static func paths(_ value: JSONValue, _ fields: [Field], _ group: String) -> [String] {
    fields.flatMap { field -> [String] in
      guard let member = value[field.name], !member.isNull else { return [] }
      let path = "\(group).\(field.name)"
      switch field.type {
      case .object(let fields), .oneOf(let fields): return [path] + paths(member, fields, path)
      case .keyedList(_, let fields):
        return [path]
          + (member.array ?? []).flatMap { element in
            // An element may leave a part of its key to its default.
            let key = field.type.elementKey(of: filled(element, fields)) ?? ""
            return paths(element, fields, "\(path)[\(key)]")
          }
      default: return [path]
      }
    }
  }

  /// The addresses that the specification names.
  public var referencedIDs: [ResourceID] {
    Resource.referenced(Schema.table(for: id.kind).fields, spec)
  }

  private static func filled(_ value: JSONValue, _ fields: [Field]) -> JSONValue {
    var members: [JSONObject.Member] = []
    for field in fields {
      guard let member = value[field.name] ?? field.defaultValue, !member.isNull else { continue }
      members.append(.init(name: field.name, value: filled(member, field.type)))
    }
    return .object(JSONObject(members: members))
  }

  private static func filled(_ value: JSONValue, _ type: FieldType) -> JSONValue {
    switch type {
    case .object(let fields), .oneOf(let fields): filled(value, fields)
    case .list(let element): .array((value.array ?? []).map { filled($0, element) })
    case .keyedList(_, let fields): .array((value.array ?? []).map { filled($0, fields) })
    default: value
    }
  }

  private static func referenced(_ fields: [Field], _ value: JSONValue) -> [ResourceID] {
    fields.flatMap { field in value[field.name].map { referenced(field.type, $0) } ?? [] }
  }

  private static func referenced(_ type: FieldType, _ value: JSONValue) -> [ResourceID] {
    switch type {
    case .list(let element): (value.array ?? []).flatMap { referenced(element, $0) }
    case .keyedList(_, let fields): (value.array ?? []).flatMap { referenced(fields, $0) }
    case .object(let fields), .oneOf(let fields): referenced(fields, value)
    default: [value.string.flatMap(type.target)].compactMap { $0 }
    }
  }
}
