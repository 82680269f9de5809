/// A line of pieces that are painted each in its own way.
struct PaintedLine {
  private var pieces: [(text: String, ink: Style.Ink)] = []

  /// Adds text at the end; controls in it are made harmless.
  mutating func add(_ text: String, _ ink: Style.Ink = .plain) {
    pieces.append((sanitized(text), ink))
  }

  /// Adds the pieces of another line at the end.
  static func += (line: inout PaintedLine, other: PaintedLine) { line.pieces += other.pieces }

  /// The line without spaces at its end.
  ///
  /// - Parameter width: what the terminal has, and where it is cut; nil cuts nothing.
  func text(width: Int?, style: Style) -> String {
    var left = width ?? .max
    let whole = pieces.reduce(0) { $0 + displayWidth($1.text) }
    var text = ""
    var spaces = ""
    for piece in pieces {
      // The last column is the ellipsis' where anything is cut.
      let isCut = whole > width ?? .max && displayWidth(piece.text) >= left
      let shown = isCut ? truncated(piece.text + " ", to: left) : piece.text
      var bare = Substring(shown)
      while bare.last == " " { bare.removeLast() }
      if !bare.isEmpty { text += spaces + style.paint(String(bare), piece.ink) }
      spaces = (bare.isEmpty ? spaces : "") + shown.dropFirst(bare.count)
      if isCut { break }
      left -= displayWidth(shown)
    }
    return text
  }
}
