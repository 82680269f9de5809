/// A JSON value that is not what its reader needs.
public struct JSONShapeError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Where: names and indexes from the top, as `disks[1].path`.
  public let path: String
  /// What should stand there.
  public let expected: String

  /// Names a place and what it should hold.
  public init(path: String, expected: String) {
    self.path = path
    self.expected = expected
  }

  /// The place and what should stand there.
  public var description: String { "'\(path)' should be \(expected)" }
}

/// Takes a JSON value apart, knowing the place for the message where something is missing.
public struct JSONReader: Sendable {
  /// The value.
  public let value: JSONValue
  /// Its place; empty at the top.
  public let path: String

  /// Begins at a value.
  public init(_ value: JSONValue, path: String = "") {
    self.value = value
    self.path = path
  }

  private func place(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  /// A member, or nil where it is missing or null.
  public func optional(_ name: String) -> JSONReader? {
    guard let member = value[name], !member.isNull else { return nil }
    return JSONReader(member, path: place(name))
  }

  /// A member that must be there.
  public func member(_ name: String) throws(JSONShapeError) -> JSONReader {
    guard let member = optional(name) else {
      throw JSONShapeError(path: place(name), expected: "there")
    }
    return member
  }

  /// The value as a string.
  public func string() throws(JSONShapeError) -> String {
    guard let string = value.string else { throw JSONShapeError(path: path, expected: "a string") }
    return string
  }

  /// The value as a Boolean.
  public func bool() throws(JSONShapeError) -> Bool {
    guard let bool = value.bool else {
      throw JSONShapeError(path: path, expected: "true or false")
    }
    return bool
  }

  /// The value as an integer within limits.
  public func integer<Number: FixedWidthInteger>(
    _ limits: ClosedRange<Number> = .min ... .max
  ) throws(JSONShapeError) -> Number {
    guard let number = value.integer.flatMap({ Number(exactly: $0) }), limits.contains(number)
    else {
      throw JSONShapeError(
        path: path, expected: "an integer from \(limits.lowerBound) to \(limits.upperBound)")
    }
    return number
  }

  /// The values of a list.
  public func list() throws(JSONShapeError) -> [JSONReader] {
    guard let items = value.array else { throw JSONShapeError(path: path, expected: "a list") }
    return items.enumerated().map { JSONReader($1, path: "\(path)[\($0)]") }
  }

  /// The values of a list of strings.
  public func strings() throws(JSONShapeError) -> [String] {
    var strings: [String] = []
    for item in try list() { strings.append(try item.string()) }
    return strings
  }

  /// The value as one of an enumeration's names.
  public func choice<Choice: RawRepresentable & CaseIterable>(
    _ type: Choice.Type
  ) throws(JSONShapeError) -> Choice where Choice.RawValue == String {
    guard let choice = Choice(rawValue: try string()) else {
      let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw JSONShapeError(path: path, expected: "one of \(names)")
    }
    return choice
  }
}
