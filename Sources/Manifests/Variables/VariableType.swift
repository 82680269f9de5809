internal import JSON
internal import Resources

/// What a variable may hold.
enum VariableType: String, CaseIterable {
  case text, integer, bool, bytes, cpu, duration, list, map, any

  /// How a single value is checked; nil where any text will do, or the value is no single one.
  var fieldType: FieldType? {
    switch self {
    case .integer: .integer(.min ... .max)
    case .bool: .bool
    case .bytes: .bytes(0 ... .max)
    case .cpu: .millicores(0 ... .max)
    case .duration: .seconds(0 ... .max)
    case .text, .list, .map, .any: nil
    }
  }

  /// The fields of a variable's declaration.
  static let fields = [
    Field("type", .choice(allCases.map(\.rawValue)), default: "text", "What it holds."),
    Field("default", .any, "The value where none is given; without one it must be given."),
    Field("description", .text(.plain), "What it is for."),
    Field("choices", .list(.any), "The values it may have."),
  ]
}
