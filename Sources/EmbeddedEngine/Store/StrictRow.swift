internal import EngineInterface
internal import GRDB
internal import JSON

/// Reads a row's columns by position, refusing every value of another type than was written.
struct StrictRow {
  private let row: Row
  private let table: String

  init(_ row: Row, of table: String) {
    self.row = row
    self.table = table
  }

  private func storage(_ index: Int) -> DatabaseValue.Storage {
    (row[index] as DatabaseValue).storage
  }

  func text(_ index: Int) throws -> String {
    guard case .string(let value) = storage(index) else {
      throw corruptRow(table, "column \(index) is no text")
    }
    return value
  }

  func optionalText(_ index: Int) throws -> String? {
    if case .null = storage(index) { return nil }
    return try text(index)
  }

  func integer(_ index: Int) throws -> Int64 {
    guard case .int64(let value) = storage(index) else {
      throw corruptRow(table, "column \(index) is no integer")
    }
    return value
  }

  func optionalInteger(_ index: Int) throws -> Int64? {
    if case .null = storage(index) { return nil }
    return try integer(index)
  }

  func int(_ index: Int) throws -> Int {
    guard let value = Int(exactly: try integer(index)) else {
      throw corruptRow(table, "column \(index) is too large")
    }
    return value
  }

  func bool(_ index: Int) throws -> Bool {
    switch try integer(index) {
    case 0: return false
    case 1: return true
    case let value: throw corruptRow(table, "column \(index) is \(value), not 0 or 1")
    }
  }

  func json(_ index: Int) throws -> JSONValue {
    let text = try text(index)
    do {
      return try JSONValue(parsing: text)
    } catch {
      throw corruptRow(table, "column \(index): \(error)")
    }
  }

  func optionalJSON(_ index: Int) throws -> JSONValue? {
    if case .null = storage(index) { return nil }
    return try json(index)
  }

  func choice<Choice: RawRepresentable>(_ index: Int) throws -> Choice
  where Choice.RawValue == String {
    let text = try text(index)
    guard let value = Choice(rawValue: text) else {
      throw corruptRow(table, "column \(index) holds the unknown word '\(text)'")
    }
    return value
  }
}
