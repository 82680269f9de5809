/// Why a tree can't be changed or followed as asked.
public struct FileTreeError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong.
  public enum Reason: String, Hashable, Sendable {
    /// The name is taken.
    case exists = "the name is taken already"
    /// There is no such name.
    case notFound = "there is no such file in the tree"
    /// A directory was needed.
    case notDirectory = "it is not a directory"
    /// A directory stands where none may.
    case isDirectory = "it is a directory"
    /// Not a regular file.
    case notRegular = "it is not a regular file"
    /// The name is empty, `.`, `..`, or holds a slash or a NUL.
    case invalidName = "the name is empty, \".\", \"..\", or holds a slash or a NUL byte"
    /// Symbolic links lead in a circle.
    case linkLoop = "more than 40 symbolic links had to be followed"
    /// A directory was to be moved below itself.
    case belowItself = "a directory can't be moved below itself"
    /// The tree is full.
    case full = "the tree holds 4294967294 entries, which is the most"
  }

  /// What was attempted, as a verb.
  public let operation: String
  /// The path or name, as bytes.
  public let path: [UInt8]
  /// What is wrong.
  public let reason: Reason

  /// Records a refusal.
  public init(_ operation: String, _ path: [UInt8], _ reason: Reason) {
    self.operation = operation
    self.path = path
    self.reason = reason
  }

  /// The sentence a message is built on.
  public var description: String { "cannot \(operation) \(printable(path)): \(reason.rawValue)" }
}

/// A name's bytes as text for people: what isn't printable UTF-8 becomes `\xNN`.
///
/// Control and format characters count as not printable: no name may move a terminal's cursor or
/// turn the text's direction.
public func printable(_ bytes: some Sequence<UInt8>) -> String {
  var text = ""
  var decoder = Unicode.UTF8.ForwardParser()
  var rest = bytes.makeIterator()
  func escape(_ byte: UInt8) -> String {
    let digits = Array("0123456789abcdef")
    return "\\x\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
  }
  // Bytes of an ill-formed sequence come back as its length only, so a copy walks along.
  let copy = Array(bytes)
  var position = 0
  while true {
    switch decoder.parseScalar(from: &rest) {
    case .valid(let units):
      let scalar = Unicode.UTF8.decode(units)
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse:
        for byte in copy[position..<position + units.count] { text += escape(byte) }
      default: text.unicodeScalars.append(scalar)
      }
      position += units.count
    case .error(let length):
      for byte in copy[position..<min(position + length, copy.count)] { text += escape(byte) }
      position += length
    case .emptyInput:
      return text
    }
  }
}
