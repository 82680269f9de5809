internal import Diagnostics
internal import YAML

/// Applies operations of JSON Patch to a document.
struct PatchApplication {
  private(set) var root: YAMLNode
  private(set) var diagnostics: [Diagnostic] = []
  /// Whether an operation could not be done; the ones behind it would be wrong too.
  var hasFailed: Bool { !diagnostics.isEmpty }
  private let sources: NodeSources

  init(_ root: YAMLNode, sources: NodeSources) {
    self.root = root
    self.sources = sources
  }

  private struct Failure: Error {
    var message: String
    var help: String?
  }

  /// Does one operation.
  mutating func apply(_ operation: PatchDocument.Operation) {
    do throws(Failure) {
      switch operation.verb {
      case .remove: _ = try remove(operation.path)
      case .add: try add(operation.value, operation.path, operation.pathNode)
      case .replace:
        _ = try Self.value(at: operation.path[...], in: root, walked: "")
        try set(operation.value, operation.path)
      case .move:
        let value = try remove(operation.from ?? [])
        try add(value, operation.path, operation.pathNode)
      case .copy:
        let value = try Self.value(at: (operation.from ?? [])[...], in: root, walked: "")
        try add(value, operation.path, operation.pathNode)
      case .test:
        let value = try Self.value(at: operation.path[...], in: root, walked: "")
        guard let expected = operation.value, Self.areEqual(value, expected) else {
          throw Failure(message: "the value is \(value.quoted), not what the patch expects")
        }
      }
    } catch {
      diagnostics.append(
        Diagnostic(
          "patch-failed", "\(operation.verb.rawValue): \(error.message)",
          path: "/" + operation.path.joined(separator: "/"), at: sources.span(operation.pathNode),
          help: error.help))
    }
  }

  private static func value(at path: ArraySlice<String>, in node: YAMLNode, walked: String)
    throws(Failure) -> YAMLNode
  {
    guard let token = path.first else { return node }
    let next: YAMLNode
    switch node.content {
    case .mapping(let pairs):
      next = pairs[try index(of: token, in: pairs, walked)].value
    case .sequence(let items): next = items[try index(token, items.count, walked)]
    case .scalar: throw missing(walked, "is a text and has no '\(token)'")
    }
    return try value(at: path.dropFirst(), in: next, walked: walked + "/" + token)
  }

  private mutating func remove(_ path: [String]) throws(Failure) -> YAMLNode {
    let value = try Self.value(at: path[...], in: root, walked: "")
    try edit(path) { (parent, token, walked) throws(Failure) in
      switch parent.content {
      case .mapping(var pairs):
        pairs.remove(at: try Self.index(of: token, in: pairs, walked))
        parent.content = .mapping(pairs)
      case .sequence(var items):
        items.remove(at: try Self.index(token, items.count, walked))
        parent.content = .sequence(items)
      case .scalar: break
      }
    }
    return value
  }

  private mutating func set(_ value: YAMLNode?, _ path: [String]) throws(Failure) {
    guard let value else { return }
    try edit(path) { (parent, token, walked) throws(Failure) in
      switch parent.content {
      case .mapping(var pairs):
        pairs[try Self.index(of: token, in: pairs, walked)].value = value
        parent.content = .mapping(pairs)
      case .sequence(var items):
        items[try Self.index(token, items.count, walked)] = value
        parent.content = .sequence(items)
      case .scalar: break
      }
    }
  }

  private mutating func add(_ value: YAMLNode?, _ path: [String], _ place: YAMLNode)
    throws(Failure)
  {
    guard let value else { return }
    try edit(path) { (parent, token, walked) throws(Failure) in
      switch parent.content {
      case .mapping(var pairs):
        if let index = pairs.firstIndex(where: { $0.key == token }) {
          pairs[index].value = value
        } else {
          pairs.append(
            YAMLPair(
              key: token, keyStart: place.start, keyLength: Int32(clamping: place.markedLength),
              source: place.source, value: value))
        }
        parent.content = .mapping(pairs)
      case .sequence(var items):
        let index = token == "-" ? items.count : try Self.index(token, items.count + 1, walked)
        items.insert(value, at: index)
        parent.content = .sequence(items)
      case .scalar: throw Self.missing(walked, "is a text and has no '\(token)'")
      }
    }
  }

  private typealias Change = (inout YAMLNode, String, _ walked: String) throws(Failure) -> Void

  /// Changes the node that holds what a path names.
  private mutating func edit(_ path: [String], _ change: Change) throws(Failure) {
    guard let last = path.last else { return }
    try Self.edit(&root, path.dropLast(), last, walked: "", change)
  }

  private static func edit(
    _ node: inout YAMLNode, _ path: ArraySlice<String>, _ last: String, walked: String,
    _ change: Change
  ) throws(Failure) {
    guard let token = path.first else { return try change(&node, last, walked) }
    let inner = walked + "/" + token
    switch node.content {
    case .mapping(var pairs):
      let index = try index(of: token, in: pairs, walked)
      try edit(&pairs[index].value, path.dropFirst(), last, walked: inner, change)
      node.content = .mapping(pairs)
    case .sequence(var items):
      let index = try index(token, items.count, walked)
      try edit(&items[index], path.dropFirst(), last, walked: inner, change)
      node.content = .sequence(items)
    case .scalar: throw missing(walked, "is a text and has no '\(token)'")
    }
  }

  private static func missing(_ walked: String, _ what: String) -> Failure {
    Failure(message: "\(walked.isEmpty ? "the document" : walked) \(what)")
  }

  private static func index(of token: String, in pairs: [YAMLPair], _ walked: String)
    throws(Failure) -> Int
  {
    if let index = pairs.firstIndex(where: { $0.key == token }) { return index }
    var failure = missing(walked, "has no '\(token)'")
    let keys = pairs.map(\.key)
    failure.help =
      nearest(to: token, among: keys).map { "did you mean '\($0)'?" }
      ?? (keys.isEmpty ? nil : "it has \(keys.joined(separator: ", "))")
    throw failure
  }

  private static func index(_ token: String, _ count: Int, _ walked: String) throws(Failure) -> Int
  {
    let isNumber = !token.isEmpty && token.utf8.allSatisfy { (0x30...0x39).contains($0) }
    guard isNumber, token == "0" || !token.hasPrefix("0"), let index = Int(token) else {
      throw Failure(
        message: "\(walked) is a list, and '\(token)' is no index",
        help: "count from 0; '-' adds behind the last")
    }
    guard index < count else {
      throw Failure(message: "\(walked) has no element \(index)", help: "count from 0")
    }
    return index
  }

  /// Whether two nodes hold the same, as RFC 6902 has it: members in any order.
  private static func areEqual(_ a: YAMLNode, _ b: YAMLNode) -> Bool {
    switch (a.content, b.content) {
    case (.scalar(let x, let isPlainX), .scalar(let y, let isPlainY)):
      return (isPlainX ? YAMLCoreValue(plain: x) : .text(x))
        == (isPlainY ? YAMLCoreValue(plain: y) : .text(y))
    case (.sequence(let x), .sequence(let y)):
      return x.count == y.count && zip(x, y).allSatisfy { areEqual($0, $1) }
    case (.mapping(let x), .mapping(let y)):
      return x.count == y.count
        && x.allSatisfy { pair in
          y.contains { $0.key == pair.key && areEqual($0.value, pair.value) }
        }
    default: return false
    }
  }
}
