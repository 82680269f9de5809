internal import Diagnostics
internal import EngineInterface
internal import JSON

extension SourceSpan {
  /// A place in a file as a column keeps it: file, line, column, length.
  var stored: JSONValue {
    [.string(file), .integer(Int64(line)), .integer(Int64(column)), .integer(Int64(length))]
  }

  init(stored value: JSONValue) throws {
    guard let parts = value.array, parts.count == 4, let file = parts[0].string else {
      throw corruptRow("resources", "the source is no place in a file")
    }
    let numbers = parts[1...].compactMap { $0.integer.flatMap(Int.init(exactly:)) }
    guard numbers.count == 3 else {
      throw corruptRow("resources", "the source is no place in a file")
    }
    self.init(file: file, line: numbers[0], column: numbers[1], length: numbers[2])
  }
}
