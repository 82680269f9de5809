internal import Diagnostics
internal import Resources
internal import YAML

/// The texts that nodes come from, by the numbers that the nodes bear.
struct NodeSources {
  private let all: [ManifestSource]
  /// The names of the files.
  let files: [String]

  /// Numbers texts in their order, from 0.
  init(_ all: [ManifestSource]) {
    self.all = all
    files = all.map(\.file)
  }

  /// The stretch a node is marked by.
  func span(_ node: YAMLNode) -> SourceSpan {
    SourceSpan(
      file: file(node.source), line: Int(node.start.line), column: Int(node.start.column),
      length: node.markedLength)
  }

  /// The stretch of a pair's key.
  func span(key pair: YAMLPair) -> SourceSpan {
    SourceSpan(
      file: file(pair.source), line: Int(pair.keyStart.line), column: Int(pair.keyStart.column),
      length: Int(pair.keyLength))
  }

  /// Where a text stands within a scalar; the scalar itself where it is not written that way.
  func span(of text: String, in node: YAMLNode) -> SourceSpan {
    var span = span(node)
    guard all.indices.contains(Int(node.source)) else { return span }
    let lines = YAMLLines(all[Int(node.source)].bytes)
    for number in Int(node.start.line)...max(Int(node.start.line), Int(node.end.line)) {
      let line = (lines[number] ?? "").unicodeScalars
      let from = number == Int(node.start.line) ? Int(node.start.column) - 1 : 0
      guard let found = line.dropFirst(from).firstRange(of: text.unicodeScalars) else { continue }
      span.line = number
      span.column = line.distance(from: line.startIndex, to: found.lowerBound) + 1
      span.length = text.unicodeScalars.count
      break
    }
    return span
  }

  /// The absolute directory that relative paths in a node start at.
  func directory(of node: YAMLNode) -> String {
    all.indices.contains(Int(node.source)) ? all[Int(node.source)].directory : "/"
  }

  private func file(_ source: Int32) -> String {
    files.indices.contains(Int(source)) ? files[Int(source)] : ""
  }
}

extension WrittenFields.Mark {
  /// The stretch a node is marked by.
  init(_ node: YAMLNode) {
    self.init(
      file: node.source, line: node.start.line, column: node.start.column,
      length: Int32(clamping: node.markedLength))
  }

  /// The stretch of a pair's key.
  init(key pair: YAMLPair) {
    self.init(
      file: pair.source, line: pair.keyStart.line, column: pair.keyStart.column,
      length: pair.keyLength)
  }
}
