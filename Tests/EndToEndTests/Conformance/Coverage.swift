import Resources

/// The fields that need a case: all that a manifest can set, by the tables that are everything's
/// one description of the kinds.
enum Coverage {
  /// The fields of a kind as README's table writes them.
  static func fields(of kind: Kind) -> [String] {
    let metadata = Schema.metadata.map(\.name).filter { $0 != "name" }
    return metadata.map { "metadata.\($0)" } + paths(Schema.table(for: kind).fields, "")
  }

  /// Lists of groups count for themselves and for each field of their elements.
  private static func paths(_ fields: [Field], _ prefix: String) -> [String] {
    fields.flatMap { field -> [String] in
      let path = prefix + field.name
      return switch field.type {
      case .object(let below) where !below.isEmpty: paths(below, path + ".")
      case .oneOf(let below): paths(below, path + ".")
      case .keyedList(_, let below): [path] + paths(below, path + "[].")
      default: [path]
      }
    }
  }

  /// The field that a case's path leads to; nil for `metadata`.
  static func field(of test: FieldCase) -> Field? {
    guard let kind = test.kind, !test.field.hasPrefix("metadata.") else { return nil }
    return Schema.table(for: kind).field(at: test.field.filter { !"[]".contains($0) })
  }

  /// What the table says that a change of the field may do.
  static func allows(_ promise: FieldCase.Promise, _ field: Field) -> Bool {
    switch promise {
    case .none: [.none, .replace].contains(field.effect)
    case .live: field.effect == .live || field.live != nil
    case .nextBoot: field.effect == .nextBoot
    // A run strategy that wants no guest ends it.
    case .restart: field.effect == .nextBoot || field.name == "runStrategy"
    case .replace: field.effect == .replace
    case .refused, .invalid: true
    }
  }
}
