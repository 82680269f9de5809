/// A JSON value whose objects keep the order of their members.
///
/// Used where Foundation is too large (the monitor) and where order reaches a file or the screen.
public enum JSONValue: Hashable, Sendable {
  /// `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A number without fraction or exponent that fits 64 bits.
  case integer(Int64)
  /// Any other number.
  case number(Double)
  /// A string.
  case string(String)
  /// A list.
  case array([JSONValue])
  /// Members in the order written; names are unique.
  case object(JSONObject)
}

/// The members of an object, in order.
///
/// Look-up is linear: the objects here are small, and a scan of a few names beats hashing them.
public struct JSONObject: Hashable, Sendable {
  /// One member.
  public struct Member: Hashable, Sendable {
    /// The name.
    public var name: String
    /// The value.
    public var value: JSONValue

    /// Makes a member.
    public init(name: String, value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  /// The members, in order.
  public private(set) var members: [Member]

  /// Makes an empty object.
  public init() { members = [] }

  /// Makes an object of members whose names are unique.
  public init(members: [Member]) { self.members = members }

  /// The value of a member; setting nil removes it, setting a new name appends.
  public subscript(name: String) -> JSONValue? {
    get { index(of: name).map { members[$0].value } }
    set {
      if let index = index(of: name) {
        if let newValue { members[index].value = newValue } else { members.remove(at: index) }
      } else if let newValue {
        members.append(Member(name: name, value: newValue))
      }
    }
  }

  /// By index, for taking out whole members to compare their names costs more than comparing.
  private func index(of name: String) -> Int? {
    members.indices.first { members[$0].name == name }
  }

  /// The names, in order.
  public var names: [String] { members.map(\.name) }
  /// Whether there are no members.
  public var isEmpty: Bool { members.isEmpty }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
  /// Makes an object of a literal, in the order written.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    members = elements.map { Member(name: $0.0, value: $0.1) }
  }
}

extension JSONValue: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral,
  ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByNilLiteral
{
  /// Makes an object, in the order written.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(
      JSONObject(members: elements.map { JSONObject.Member(name: $0.0, value: $0.1) }))
  }
  /// Makes a list.
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  /// Makes a string.
  public init(stringLiteral value: String) { self = .string(value) }
  /// Makes an integer.
  public init(integerLiteral value: Int64) { self = .integer(value) }
  /// Makes a Boolean.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  /// Makes null.
  public init(nilLiteral: ()) { self = .null }
}

extension JSONValue {
  /// The string, where it is one.
  public var string: String? { if case .string(let value) = self { value } else { nil } }
  /// The integer, where it is one.
  public var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
  /// The Boolean, where it is one.
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The list, where it is one.
  public var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
  /// The object, where it is one.
  public var object: JSONObject? { if case .object(let value) = self { value } else { nil } }
  /// Whether it is null.
  public var isNull: Bool { if case .null = self { true } else { false } }

  /// A member of an object; nil where this is no object or has no such member.
  ///
  /// Setting on anything but an object replaces it with one.
  public subscript(name: String) -> JSONValue? {
    get { object?[name] }
    set {
      var object = object ?? JSONObject()
      object[name] = newValue
      self = .object(object)
    }
  }

  /// A string from an optional one; null for nil.
  public init(_ string: String?) { self = string.map(JSONValue.string) ?? .null }
  /// An integer from an optional one; null for nil.
  public init(_ integer: Int?) { self = integer.map { .integer(Int64($0)) } ?? .null }
}
