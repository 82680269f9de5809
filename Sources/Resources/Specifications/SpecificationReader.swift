internal import JSON

/// A specification in normal form that lacks what the field table promises: a damaged record.
public struct SpecificationError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The path of the field.
  public var path: String
  /// What was expected there.
  public var expected: String

  /// The path and what was expected.
  public var description: String { "\(path): expected \(expected)" }
}

/// Reads members of a normalised specification.
struct SpecificationReader {
  let object: JSONObject
  private let place: Place

  /// Where a group stands; the path is put together only for an error.
  private indirect enum Place {
    case root(String)
    case group(String, in: Place)
    case element(Int, of: String, in: Place)

    var path: String {
      switch self {
      case .root(let name): name
      case .group(let name, let place): "\(place.path).\(name)"
      case .element(let index, let name, let place): "\(place.path).\(name)[\(index)]"
      }
    }
  }

  /// Reads a whole specification.
  init(_ spec: JSONValue) throws(SpecificationError) { try self.init(spec, .root("spec")) }

  private init(_ value: JSONValue?, _ place: Place) throws(SpecificationError) {
    guard case .object(let object) = value else {
      throw SpecificationError(path: place.path, expected: "a group of fields")
    }
    self.object = object
    self.place = place
  }

  private func fail(_ name: String, _ expected: String) -> SpecificationError {
    SpecificationError(path: "\(place.path).\(name)", expected: expected)
  }

  /// A member that is there and not null.
  private func value(_ name: String) -> JSONValue? {
    guard let value = object[name], !value.isNull else { return nil }
    return value
  }

  private func text(_ value: JSONValue?, _ name: String) throws(SpecificationError) -> String {
    guard case .string(let text) = value else { throw fail(name, "text") }
    return text
  }

  private func integer(_ value: JSONValue?, _ name: String) throws(SpecificationError) -> Int64 {
    guard case .integer(let number) = value else { throw fail(name, "a whole number") }
    return number
  }

  private func int(_ value: JSONValue?, _ name: String) throws(SpecificationError) -> Int {
    guard let number = Int(exactly: try integer(value, name)) else {
      throw fail(name, "a smaller number")
    }
    return number
  }

  func text(_ name: String) throws(SpecificationError) -> String { try text(object[name], name) }

  func optionalText(_ name: String) throws(SpecificationError) -> String? {
    guard let value = value(name) else { return nil }
    return try text(value, name)
  }

  func integer(_ name: String) throws(SpecificationError) -> Int64 {
    try integer(object[name], name)
  }

  func optionalInteger(_ name: String) throws(SpecificationError) -> Int64? {
    guard let value = value(name) else { return nil }
    return try integer(value, name)
  }

  func int(_ name: String) throws(SpecificationError) -> Int { try int(object[name], name) }

  func optionalInt(_ name: String) throws(SpecificationError) -> Int? {
    guard let value = value(name) else { return nil }
    return try int(value, name)
  }

  func bool(_ name: String) throws(SpecificationError) -> Bool {
    guard let value = object[name]?.bool else { throw fail(name, "true or false") }
    return value
  }

  func choice<Choice: RawRepresentable>(_ name: String) throws(SpecificationError) -> Choice
  where Choice.RawValue == String {
    guard let value = Choice(rawValue: try text(name)) else { throw fail(name, "another word") }
    return value
  }

  func group(_ name: String) throws(SpecificationError) -> SpecificationReader {
    try SpecificationReader(object[name], .group(name, in: place))
  }

  func optionalGroup(_ name: String) throws(SpecificationError) -> SpecificationReader? {
    guard let value = value(name) else { return nil }
    return try SpecificationReader(value, .group(name, in: place))
  }

  func groups(_ name: String) throws(SpecificationError) -> [SpecificationReader] {
    guard let value = value(name) else { return [] }
    guard case .array(let items) = value else { throw fail(name, "a list") }
    var readers: [SpecificationReader] = []
    readers.reserveCapacity(items.count)
    for index in items.indices {
      readers.append(try SpecificationReader(items[index], .element(index, of: name, in: place)))
    }
    return readers
  }

  func texts(_ name: String) throws(SpecificationError) -> [String] {
    guard let value = value(name) else { return [] }
    guard case .array(let items) = value else { throw fail(name, "a list") }
    var texts: [String] = []
    for item in items {
      guard let text = item.string else { throw fail(name, "a list of texts") }
      texts.append(text)
    }
    return texts
  }
}
