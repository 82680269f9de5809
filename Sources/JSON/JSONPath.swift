/// A path to values inside a JSON value: the part of kubectl's JSONPath that tells values apart.
///
/// `{.status.conditions[?(@.type=="Ready")].status}`: members by `.name` or `['name']`, items by
/// `[0]`, from the end by `[-1]`, all by `[*]` or `.*`, those that a filter holds for by
/// `[?(@.path OP value)]` with `==`, `!=`, `<`, `<=`, `>`, `>=`, or by `[?(@.path)]` where the path
/// is there. The braces, and a `$` at the beginning, may be left out.
public struct JSONPath: Sendable, Hashable, CustomStringConvertible {
  indirect enum Step: Sendable, Hashable {
    case member(String)
    case item(Int)
    case all
    case filter(Filter)
  }

  struct Filter: Sendable, Hashable {
    enum Comparison: String, Sendable, CaseIterable {
      // Longer ones first: `<` begins `<=`.
      case equal = "=="
      case unequal = "!="
      case atMost = "<="
      case atLeast = ">="
      case less = "<"
      case more = ">"
    }
    var steps: [Step]
    /// nil asks only whether the path is there.
    var test: Test?

    struct Test: Sendable, Hashable {
      var comparison: Comparison
      var value: JSONValue
    }
  }

  /// The path as it was written.
  public let description: String
  let steps: [Step]

  /// Why a text is no path.
  public struct Problem: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong, with the place in the text.
    public let description: String
  }

  /// Reads a path.
  public init(_ text: String) throws(Problem) {
    var parser = JSONPathParser(text)
    steps = try parser.parse()
    description = text
  }

  /// The values that the path leads to, in their order; none where there is nothing.
  public func values(in value: JSONValue) -> [JSONValue] { Self.follow(steps, from: [value]) }

  private static func follow(_ steps: [Step], from values: [JSONValue]) -> [JSONValue] {
    steps.reduce(values) { values, step in values.flatMap { Self.values(step, $0) } }
  }

  private static func values(_ step: Step, _ value: JSONValue) -> [JSONValue] {
    switch step {
    case .member(let name): return value[name].map { [$0] } ?? []
    case .item(let index):
      guard let items = value.array else { return [] }
      let place = index < 0 ? items.count + index : index
      return items.indices.contains(place) ? [items[place]] : []
    case .all: return children(value)
    case .filter(let filter): return children(value).filter { holds(filter, $0) }
    }
  }

  private static func children(_ value: JSONValue) -> [JSONValue] {
    value.array ?? value.object?.members.map(\.value) ?? []
  }

  private static func holds(_ filter: Filter, _ value: JSONValue) -> Bool {
    let found = follow(filter.steps, from: [value])
    guard let test = filter.test else { return !found.isEmpty }
    return found.contains { compare($0, test.comparison, test.value) }
  }

  private static func compare(
    _ left: JSONValue, _ comparison: Filter.Comparison, _ right: JSONValue
  ) -> Bool {
    switch comparison {
    case .equal: return isSame(left, right)
    case .unequal: return !isSame(left, right)
    case .less: return isLess(left, right) ?? false
    case .more: return isLess(right, left) ?? false
    case .atMost: return isLess(right, left).map { !$0 } ?? false
    case .atLeast: return isLess(left, right).map { !$0 } ?? false
    }
  }

  private static func isSame(_ left: JSONValue, _ right: JSONValue) -> Bool {
    if let left = left.asNumber, let right = right.asNumber { return left == right }
    return left == right
  }

  /// nil for values that have no order.
  private static func isLess(_ left: JSONValue, _ right: JSONValue) -> Bool? {
    if case .integer(let left) = left, case .integer(let right) = right { return left < right }
    if let left = left.asNumber, let right = right.asNumber { return left < right }
    if let left = left.string, let right = right.string { return left < right }
    return nil
  }
}

extension JSONValue {
  fileprivate var asNumber: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// The value as a word for comparing with what people type: a string without quotation marks.
  public var word: String { string ?? text() }
}
