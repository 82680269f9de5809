/// Lays syntax out: two spaces for each level, one behind `:`, `-` and `,`.
struct SyntaxWriter {
  /// The keys that a document's root begins with, in this order.
  let keyOrder: [String]

  /// The text of all documents.
  func text(_ documents: [SyntaxDocument]) -> String {
    var lines: [String] = []
    for (index, document) in documents.enumerated() {
      if !document.directives.isEmpty, index > 0 { lines.append("...") }
      lines += document.directives
      if index > 0 || document.isMarked { lines.append("---") }
      lines += self.lines(document)
    }
    while lines.last?.isEmpty == true { lines.removeLast() }
    return lines.isEmpty ? "" : lines.joined(separator: "\n") + "\n"
  }

  private func lines(_ document: SyntaxDocument) -> [String] {
    var lines = trivia(document.leading, atStart: true)
    var root = document.root
    if case .collection(var collection) = root {
      // What stands above the first key stands at the head of the document, whatever key it is.
      if !collection.entries.isEmpty {
        let head = collection.entries[0].leading
        collection.entries[0].leading = []
        lines += trivia(head, atStart: lines.isEmpty)
      }
      collection.entries = ordered(collection)
      root = .collection(collection)
    }
    lines += self.lines(of: root, comment: document.comment)
    lines += trivia(document.trailing, atStart: lines.isEmpty)
    while lines.last?.isEmpty == true { lines.removeLast() }
    return lines
  }

  /// The pairs with the known keys first; as they are where an anchor might come behind its alias.
  private func ordered(_ collection: SyntaxCollection) -> [SyntaxEntry] {
    let entries = collection.entries
    guard collection.isMapping, entries.contains(where: { keyOrder.contains($0.name) }),
      !entries.contains(where: { $0.name == "<<" || $0.value.hasReferences })
    else { return entries }
    let known = keyOrder.flatMap { name in entries.filter { $0.name == name } }
    return known + entries.filter { !keyOrder.contains($0.name) }
  }

  // MARK: Nodes

  /// The lines of a node, as they stand at the first column.
  private func lines(of node: SyntaxNode, comment: String? = nil) -> [String] {
    var lines: [String]
    switch node {
    case .empty: lines = []
    case .scalar(let text): lines = [text[0]] + indented(Array(text.dropFirst()))
    case .block(let header, let text): return [header] + indented(text)
    case .flow(let flow): lines = self.lines(of: flow)
    case .collection(let collection): return self.lines(of: collection)
    }
    if let comment, !lines.isEmpty { lines[lines.count - 1] += "  " + comment }
    return lines
  }

  private func lines(of collection: SyntaxCollection) -> [String] {
    var lines: [String] = []
    for (index, entry) in collection.entries.enumerated() {
      lines += trivia(entry.leading, atStart: index == 0)
      lines += self.lines(of: entry, isMapping: collection.isMapping)
    }
    return lines + trivia(collection.trailing, atStart: lines.isEmpty)
  }

  private func lines(of entry: SyntaxEntry, isMapping: Bool) -> [String] {
    // An alias ends with the colon unless a space stands between.
    let key = entry.key.map { $0.hasPrefix("*") ? $0 + " :" : $0 + ":" } ?? "-"
    guard case .collection(var collection) = entry.value else {
      let value = lines(of: entry.value, comment: entry.comment)
      guard let first = value.first else {
        return [key + suffix(entry.keyComment ?? entry.comment)]
      }
      return [key + " " + first] + value.dropFirst()
    }
    let properties = collection.properties.isEmpty ? "" : " " + collection.properties
    if isMapping || !properties.isEmpty {
      return [key + properties + suffix(entry.keyComment)] + indented(lines(of: collection))
    }
    // An item's first line stands behind the dash, and what is above that line above the dash.
    var above: [String] = []
    if !collection.entries.isEmpty {
      above = trivia(collection.entries[0].leading, atStart: true)
      collection.entries[0].leading = []
    }
    let inside = lines(of: collection)
    return above + [key + " " + (inside.first ?? "")] + indented(Array(inside.dropFirst()))
  }

  private func suffix(_ comment: String?) -> String { comment.map { "  " + $0 } ?? "" }

  private func lines(of flow: SyntaxFlow) -> [String] {
    let properties = flow.properties.isEmpty ? "" : flow.properties + " "
    let (open, close) = flow.isMapping ? ("{", "}") : ("[", "]")
    if !flow.isTall || flow.entries.isEmpty && flow.trailing.isEmpty {
      return [properties + open + flow.entries.map(inline).joined(separator: ", ") + close]
    }
    var lines = [properties + open]
    for (index, entry) in flow.entries.enumerated() {
      let isLast = index == flow.entries.count - 1
      if isLast { lines += indented(trivia(flow.trailing, atStart: true)) }
      lines += indented(trivia(entry.leading, atStart: true))
      var inside = self.lines(ofFlow: entry)
      inside[inside.count - 1] += (isLast ? close : ",") + suffix(entry.comment)
      lines += indented(inside)
    }
    return lines
  }

  private func lines(ofFlow entry: SyntaxEntry) -> [String] {
    let value = lines(of: entry.value)
    guard let key = entry.key else { return value.isEmpty ? ["~"] : value }
    guard let first = value.first else { return [key] }
    return [(key.hasPrefix("*") ? key + " : " : key + ": ") + first] + value.dropFirst()
  }

  private func inline(_ entry: SyntaxEntry) -> String {
    lines(ofFlow: entry).joined(separator: " ")
  }

  // MARK: Lines

  private func trivia(_ trivia: [Trivia], atStart: Bool) -> [String] {
    var lines: [String] = []
    for item in trivia {
      switch item {
      case .comment(let text): lines.append(text)
      case .blank: if !(atStart && lines.isEmpty), lines.last != "" { lines.append("") }
      }
    }
    return lines
  }

  private func indented(_ lines: [String]) -> [String] {
    lines.map { $0.isEmpty ? "" : "  " + $0 }
  }
}

extension SyntaxNode {
  /// Whether an anchor or an alias stands in it.
  fileprivate var hasReferences: Bool {
    switch self {
    case .empty: false
    case .scalar(let lines):
      lines[0].hasPrefix("&") || lines[0].hasPrefix("*") || lines[0].contains(" &")
    case .block(let header, _): header.contains("&")
    case .flow(let flow):
      flow.properties.contains("&") || flow.entries.contains { $0.hasReferences }
    case .collection(let collection):
      collection.properties.contains("&") || collection.entries.contains { $0.hasReferences }
    }
  }
}

extension SyntaxEntry {
  fileprivate var hasReferences: Bool {
    value.hasReferences || key.map { $0.hasPrefix("&") || $0.hasPrefix("*") } == true
  }
}
