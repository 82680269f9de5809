import TestSupport

/// Breaks texts in the ways that files get broken, and in some that only an enemy thinks of.
struct YAMLMutator {
  private var generator: SeededGenerator
  private let corpus: [[UInt8]]
  private static let pieces: [[UInt8]] =
    [
      ":", ": ", "- ", "? ", "\n", "\r", "\r\n", "\u{85}", "\u{2028}", "\u{2029}", "\t", " ", "  ",
      "[", "]", "{", "}", ",", "#", " #", "&a ", "*a", "!", "!!str ", "!x!y ", "|", ">", "|2-",
      ">+",
      "'", "\"", "\\", "%YAML 1.1\n---\n", "%TAG ! x\n", "---\n", "...\n", "\n--- ", "<<: ", "@",
      "`",
      "\u{feff}", "\u{0}", "\u{7}", "\u{fffe}", "\u{1f600}", "é", "~", "null",
    ].map { Array($0.utf8) } + [[0xff], [0xc3], [0x80], [0xed, 0xa0, 0x80]]

  init(seed: UInt64, corpus: [String]) {
    generator = SeededGenerator(seed: seed)
    self.corpus = corpus.map { Array($0.utf8) }
  }

  mutating func next() -> [UInt8] {
    var bytes = corpus.randomElement(using: &generator) ?? []
    for _ in 0..<Int.random(in: 1...3, using: &generator) {
      let at = Int.random(in: 0...bytes.count, using: &generator)
      let end = min(bytes.count, at + Int.random(in: 0...12, using: &generator))
      switch Int.random(in: 0..<9, using: &generator) {
      case 0: bytes.removeSubrange(at..<end)
      case 1: bytes.insert(contentsOf: bytes[at..<end], at: at)
      case 2: bytes.removeSubrange(at...)
      case 3:
        let other = corpus.randomElement(using: &generator) ?? []
        bytes = Array(bytes[..<at]) + other[min(at, other.count)...]
      case 4 where at < bytes.count: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      default:
        bytes.insert(contentsOf: Self.pieces.randomElement(using: &generator) ?? [], at: at)
      }
    }
    return bytes
  }
}
