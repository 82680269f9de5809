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
  let path: String

  init(_ value: JSONValue?, path: String) throws(SpecificationError) {
    guard let object = value?.object else {
      throw SpecificationError(path: path, expected: "a group of fields")
    }
    self.object = object
    self.path = path
  }

  private func fail(_ name: String, _ expected: String) -> SpecificationError {
    SpecificationError(path: "\(path).\(name)", expected: expected)
  }

  func has(_ name: String) -> Bool { object[name].map { !$0.isNull } ?? false }

  func text(_ name: String) throws(SpecificationError) -> String {
    guard let value = object[name]?.string else { throw fail(name, "text") }
    return value
  }

  func optionalText(_ name: String) throws(SpecificationError) -> String? {
    has(name) ? try text(name) : nil
  }

  func integer(_ name: String) throws(SpecificationError) -> Int64 {
    guard let value = object[name]?.integer else { throw fail(name, "a whole number") }
    return value
  }

  func optionalInteger(_ name: String) throws(SpecificationError) -> Int64? {
    has(name) ? try integer(name) : nil
  }

  func int(_ name: String) throws(SpecificationError) -> Int {
    guard let value = Int(exactly: try integer(name)) else { throw fail(name, "a smaller number") }
    return value
  }

  func optionalInt(_ name: String) throws(SpecificationError) -> Int? {
    has(name) ? try int(name) : nil
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
    try SpecificationReader(object[name], path: "\(path).\(name)")
  }

  func optionalGroup(_ name: String) throws(SpecificationError) -> SpecificationReader? {
    has(name) ? try group(name) : nil
  }

  func groups(_ name: String) throws(SpecificationError) -> [SpecificationReader] {
    guard has(name) else { return [] }
    guard let items = object[name]?.array else { throw fail(name, "a list") }
    var readers: [SpecificationReader] = []
    for (index, item) in items.enumerated() {
      readers.append(try SpecificationReader(item, path: "\(path).\(name)[\(index)]"))
    }
    return readers
  }

  func texts(_ name: String) throws(SpecificationError) -> [String] {
    guard has(name) else { return [] }
    guard let items = object[name]?.array else { throw fail(name, "a list") }
    var texts: [String] = []
    for item in items {
      guard let text = item.string else { throw fail(name, "a list of texts") }
      texts.append(text)
    }
    return texts
  }
}
