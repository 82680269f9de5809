internal import CLibyaml
internal import Diagnostics

/// Builds nodes of libyaml's events.
struct Composer {
  let events: EventReader
  let bytes: UnsafeBufferPointer<UInt8>
  let file: String
  let limits: YAMLLimits
  var diagnostics: [Diagnostic] = []
  private var anchors: [String: (node: YAMLNode, count: Int)] = [:]
  private var openAnchors: Set<String> = []
  private var nodeCount = 0
  private var aliasedCount = 0

  init(
    events: EventReader, bytes: UnsafeBufferPointer<UInt8>, file: String, limits: YAMLLimits
  ) {
    self.events = events
    self.bytes = bytes
    self.file = file
    self.limits = limits
  }

  /// Reading can't go on; the diagnostic is recorded already.
  struct Stopped: Error {}

  mutating func stream() -> YAMLStream {
    var documents: [YAMLNode] = []
    do throws(Stopped) {
      while true {
        try advance()
        switch events.type {
        case YAML_STREAM_END_EVENT:
          return YAMLStream(documents: documents, diagnostics: diagnostics)
        case YAML_DOCUMENT_START_EVENT:
          anchors.removeAll()
          try advance()
          let root = try node(depth: 0)
          if !root.isEmpty { documents.append(root) }
        default: break
        }
      }
    } catch {
      return YAMLStream(documents: documents, diagnostics: diagnostics)
    }
  }

  private mutating func advance() throws(Stopped) {
    guard events.advance() else {
      diagnostics.append(diagnostic(of: events.failure))
      throw Stopped()
    }
  }

  private mutating func stop(
    _ code: DiagnosticCode, _ message: String, at mark: YAMLMark, length: Int = 1,
    help: String? = nil
  ) -> Stopped {
    report(code, message, at: mark, length: length, help: help)
    return Stopped()
  }

  private mutating func report(
    _ code: DiagnosticCode, _ message: String, at mark: YAMLMark, length: Int = 1,
    help: String? = nil
  ) {
    let span = SourceSpan(
      file: file, line: Int(mark.line), column: Int(mark.column), length: length)
    diagnostics.append(Diagnostic(code, message, at: span, help: help))
  }

  /// The node that begins with the current event.
  private mutating func node(depth: Int) throws(Stopped) -> YAMLNode {
    guard depth <= limits.depth else {
      throw stop("yaml-limit", "nested deeper than \(limits.depth)", at: events.start)
    }
    if events.type == YAML_ALIAS_EVENT { return try aliased() }
    try checkTag()
    let anchor = events.anchor
    let before = nodeCount
    if let anchor { openAnchors.insert(anchor) }
    let node: YAMLNode
    switch events.type {
    case YAML_SCALAR_EVENT:
      nodeCount += 1
      node = YAMLNode(
        content: .scalar(events.text, isPlain: events.isPlain), start: events.start,
        end: events.end)
    case YAML_SEQUENCE_START_EVENT: node = try sequence(depth: depth)
    default: node = try mapping(depth: depth)
    }
    if let anchor {
      openAnchors.remove(anchor)
      anchors[anchor] = (node, nodeCount - before)
    }
    return node
  }

  private mutating func aliased() throws(Stopped) -> YAMLNode {
    let name = events.anchor ?? ""
    let length = name.count + 1
    guard let (node, count) = anchors[name] else {
      let isOpen = openAnchors.contains(name)
      throw stop(
        "yaml-alias",
        isOpen ? "'*\(name)' stands within what it refers to" : "nothing is named '&\(name)'",
        at: events.start, length: length,
        help: isOpen
          ? nil
          : nearest(to: name, among: anchors.keys.sorted()).map { "did you mean '*\($0)'?" }
            ?? "put '&\(name)' before the value that is meant, above this line")
    }
    aliasedCount += count
    nodeCount += count
    guard aliasedCount <= limits.aliasedNodes else {
      throw stop(
        "yaml-limit", "aliases stand for more than \(limits.aliasedNodes) values",
        at: events.start, length: length, help: "write the values out")
    }
    var copy = node
    copy.start = events.start
    copy.end = events.end
    return copy
  }

  private mutating func checkTag() throws(Stopped) {
    guard let tag = events.tag else { return }
    let known = ["str", "int", "float", "bool", "null", "seq", "map"].map {
      "tag:yaml.org,2002:\($0)"
    }
    guard tag == "!" || known.contains(tag) else {
      throw stop(
        "yaml-tag", "the tag '\(tag)' is unknown", at: events.start, help: "remove the tag")
    }
  }

  private mutating func sequence(depth: Int) throws(Stopped) -> YAMLNode {
    let start = events.start
    nodeCount += 1
    var items: [YAMLNode] = []
    try advance()
    while events.type != YAML_SEQUENCE_END_EVENT {
      items.append(try node(depth: depth + 1))
      try advance()
    }
    return YAMLNode(content: .sequence(items), start: start, end: events.end)
  }

  private mutating func mapping(depth: Int) throws(Stopped) -> YAMLNode {
    let start = events.start
    nodeCount += 1
    var pairs: [YAMLPair] = []
    pairs.reserveCapacity(4)
    var merged: [YAMLPair] = []
    var names: Set<String> = []
    try advance()
    while events.type != YAML_MAPPING_END_EVENT {
      let key = try node(depth: depth + 1)
      guard case .scalar(let name, let isPlain) = key.content else {
        throw stop("yaml-key", "a key must be a text", at: key.start)
      }
      try advance()
      let value = try node(depth: depth + 1)
      try advance()
      if isPlain, name == "<<" {
        merged += try pairsToMerge(value)
        continue
      }
      let length = Int32(clamping: key.markedLength)
      if isDuplicate(name, in: pairs, &names) {
        reportDuplicate(name, key, first: pairs.first { $0.key == name }?.keyStart)
      } else {
        pairs.append(
          YAMLPair(key: name, keyStart: key.start, keyLength: length, value: value))
      }
    }
    for pair in merged where !isDuplicate(pair.key, in: pairs, &names) { pairs.append(pair) }
    return YAMLNode(content: .mapping(pairs), start: start, end: events.end)
  }

  /// Few names are compared one by one; a set is made only for many.
  private func isDuplicate(_ name: String, in pairs: [YAMLPair], _ names: inout Set<String>)
    -> Bool
  {
    if pairs.count < 16 { return pairs.contains { $0.key == name } }
    if names.isEmpty { names = Set(pairs.map(\.key)) }
    return !names.insert(name).inserted
  }

  private mutating func reportDuplicate(_ name: String, _ key: YAMLNode, first: YAMLMark?) {
    report(
      "duplicate-key", "the key '\(name)' stands twice", at: key.start, length: key.markedLength,
      help: first.map { "it stands first at \(file):\($0.line):\($0.column); remove one" })
  }

  private mutating func pairsToMerge(_ value: YAMLNode) throws(Stopped) -> [YAMLPair] {
    var wrong = value
    switch value.content {
    case .mapping(let pairs): return pairs
    case .sequence(let items):
      var pairs: [YAMLPair] = []
      for item in items {
        wrong = item
        guard case .mapping(let more) = item.content else { break }
        pairs += more
      }
      if case .mapping = wrong.content { return pairs }
    case .scalar: break
    }
    throw stop(
      "yaml-key", "'<<' merges mappings, and this is none", at: wrong.start,
      length: wrong.markedLength, help: "write '<<: *name' with the anchor of a mapping")
  }
}

extension YAMLNode {
  /// Whether this is the node of a document without content.
  fileprivate var isEmpty: Bool {
    if case .scalar(let text, isPlain: true) = content { text.isEmpty } else { false }
  }
}
