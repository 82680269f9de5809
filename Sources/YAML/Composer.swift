internal import CLibyaml
internal import Diagnostics

/// Builds nodes of libyaml's events.
struct Composer {
  let events: EventReader
  let bytes: UnsafeBufferPointer<UInt8>
  let file: String
  let source: Int32
  let limits: YAMLLimits
  var diagnostics: [Diagnostic] = []
  private var anchors: [String: (node: YAMLNode, count: Int)] = [:]
  private var openAnchors: Set<String> = []
  private var nodeCount = 0
  private var aliasedCount = 0
  /// Whether something in the current document could not be taken as it is written.
  private var isFlawed = false
  /// Whether `${` was met in the current document.
  private var hasReferences = false

  init(
    events: EventReader, bytes: UnsafeBufferPointer<UInt8>, file: String, source: Int32,
    limits: YAMLLimits
  ) {
    self.source = source
    self.events = events
    self.bytes = bytes
    self.file = file
    self.limits = limits
  }

  /// Reading can't go on; the diagnostic is recorded already.
  struct Stopped: Error {}

  /// Hands on each document, up to what reading can't go on at.
  mutating func read(_ body: (YAMLDocument) -> Void) {
    do throws(Stopped) {
      while true {
        try advance()
        switch events.type {
        case YAML_STREAM_END_EVENT: return
        case YAML_DOCUMENT_START_EVENT:
          anchors.removeAll()
          isFlawed = false
          hasReferences = false
          try advance()
          let root = try node(depth: 0)
          if root.isEmpty { continue }
          body(YAMLDocument(root: root, isFlawed: isFlawed, hasReferences: hasReferences))
        default: break
        }
      }
    } catch {
      // The diagnostic is recorded.
    }
  }

  private mutating func advance() throws(Stopped) {
    guard events.advance() else {
      diagnostics.append(diagnostic(of: events.failure))
      throw Stopped()
    }
  }

  /// Ends reading at a limit of ours, which libyaml doesn't have.
  private mutating func stop(
    _ message: String, at mark: YAMLMark, length: Int = 1, help: String
  ) -> Stopped {
    report("yaml-limit", message + ", more than ingot reads", at: mark, length: length, help: help)
    return Stopped()
  }

  /// Reports what is fine YAML and no manifest; reading goes on without it.
  private mutating func refuse(
    _ code: DiagnosticCode, _ message: String, at mark: YAMLMark, length: Int = 1, help: String
  ) {
    isFlawed = true
    report(code, message, at: mark, length: length, help: help)
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
      throw stop(
        "nested deeper than \(limits.depth) levels", at: events.start, help: "nest less deeply")
    }
    if events.isPureScalar { return scalar() }
    if events.type == YAML_ALIAS_EVENT { return try aliased() }
    checkTag()
    let anchor = events.anchor
    let before = nodeCount
    if let anchor { openAnchors.insert(anchor) }
    let node: YAMLNode
    switch events.type {
    case YAML_SCALAR_EVENT: node = scalar()
    case YAML_SEQUENCE_START_EVENT: node = try sequence(depth: depth)
    default: node = try mapping(depth: depth)
    }
    if let anchor {
      openAnchors.remove(anchor)
      anchors[anchor] = (node, nodeCount - before)
    }
    return node
  }

  /// A node that ends with the current event.
  private func made(_ content: YAMLNode.Content, from start: YAMLMark) -> YAMLNode {
    YAMLNode(content: content, start: start, end: events.end, source: source)
  }

  private mutating func scalar() -> YAMLNode {
    nodeCount += 1
    if events.mentionsReference { hasReferences = true }
    return made(.scalar(events.text, isPlain: events.isPlain), from: events.start)
  }

  private mutating func aliased() throws(Stopped) -> YAMLNode {
    let name = events.anchor ?? ""
    let length = name.count + 1
    guard let (node, count) = anchors[name] else {
      let isOpen = openAnchors.contains(name)
      refuse(
        "yaml-alias",
        isOpen ? "'*\(name)' stands within what it refers to" : "nothing is named '&\(name)'",
        at: events.start, length: length,
        help: isOpen
          ? "write the value out"
          : nearest(to: name, among: anchors.keys.sorted()).map { "did you mean '*\($0)'?" }
            ?? "put '&\(name)' before the value that is meant, above this line")
      return made(.scalar("", isPlain: true), from: events.start)
    }
    aliasedCount += count
    nodeCount += count
    guard aliasedCount <= limits.aliasedNodes else {
      throw stop(
        "aliases stand for more than \(limits.aliasedNodes) values",
        at: events.start, length: length, help: "write the values out")
    }
    var copy = node
    copy.start = events.start
    copy.end = events.end
    return copy
  }

  private mutating func checkTag() {
    guard let tag = events.tag else { return }
    let known = ["str", "int", "float", "bool", "null", "seq", "map"].map {
      "tag:yaml.org,2002:\($0)"
    }
    guard tag == "!" || known.contains(tag) else {
      return refuse(
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
    return made(.sequence(items), from: start)
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
      try advance()
      let value = try node(depth: depth + 1)
      try advance()
      guard case .scalar(let name, let isPlain) = key.content else {
        refuse("yaml-key", "a key must be a text", at: key.start, help: "write 'name: value'")
        continue
      }
      if isPlain, name == "<<" {
        merged += pairsToMerge(value)
        continue
      }
      let length = Int32(clamping: key.markedLength)
      if isDuplicate(name, in: pairs, &names) {
        reportDuplicate(name, key, first: pairs.first { $0.key == name }?.keyStart)
      } else {
        pairs.append(
          YAMLPair(
            key: name, keyStart: key.start, keyLength: length, source: source, value: value))
      }
    }
    for pair in merged where !isDuplicate(pair.key, in: pairs, &names) { pairs.append(pair) }
    return made(.mapping(pairs), from: start)
  }

  /// Few names are compared one by one; a set is made only for many.
  private func isDuplicate(_ name: String, in pairs: [YAMLPair], _ names: inout Set<String>)
    -> Bool
  {
    if pairs.count < 16 { return pairs.indices.contains { pairs[$0].key == name } }
    if names.isEmpty { names = Set(pairs.map(\.key)) }
    return !names.insert(name).inserted
  }

  private mutating func reportDuplicate(_ name: String, _ key: YAMLNode, first: YAMLMark?) {
    report(
      "duplicate-key", "the key '\(name)' stands twice", at: key.start, length: key.markedLength,
      help: first.map { "it stands first at \(file):\($0.line):\($0.column); remove one" })
  }

  private mutating func pairsToMerge(_ value: YAMLNode) -> [YAMLPair] {
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
    refuse(
      "yaml-key", "'<<' merges mappings, and this is none", at: wrong.start,
      length: wrong.markedLength, help: "write '<<: *name' with the anchor of a mapping")
    return []
  }
}

extension YAMLNode {
  /// Whether this is the node of a document without content.
  fileprivate var isEmpty: Bool {
    if case .scalar(let text, isPlain: true) = content { text.isEmpty } else { false }
  }
}
