public import JSON

/// What changing a field does to a running guest, from the mildest to the hardest.
public enum Effect: String, Sendable, Comparable, CaseIterable {
  /// Nothing a guest could notice: labels, policies.
  case none
  /// Takes effect at once, the guest runs on.
  case live
  /// Stored; takes effect at the next start, until then the machine shows RestartRequired.
  case nextBoot
  /// The guest is stopped, changed and started.
  case restart
  /// Destroyed and made anew.
  case replace
  /// Not done; the reason says the way round.
  case refused

  /// Milder comes first.
  public static func < (a: Effect, b: Effect) -> Bool { a.rank < b.rank }

  private var rank: Int {
    switch self {
    case .none: 0
    case .live: 1
    case .nextBoot: 2
    case .restart: 3
    case .replace: 4
    case .refused: 5
    }
  }

  /// The word printed in plans: `live`, `next-boot`, `restart`, `replace`, `refused`.
  public var word: String { self == .nextBoot ? "next-boot" : rawValue }
}

/// On what it depends whether a change takes effect at once, where the field's effect is a later one.
///
/// But for `segment` only the running guest's machine can tell; `LiveState` of the engine's answer is
/// asked.
public enum LiveCondition: String, Sendable {
  /// More processors, as many as the running guest's machine has places for.
  case processors
  /// Memory between nothing and what the running guest's machine has room for.
  case memory
  /// A device that comes finds a free port; one that goes is not what the guest runs from.
  case devices
  /// A network that ingot keeps beside the guests; in mode `user` each machine's own one is a part
  /// of how it is started. The specifications tell, so that a difference says so itself.
  case segment

  /// When, in a few words for tables.
  public var words: String {
    switch self {
    case .processors: "live when raised up to max"
    case .memory: "live up to max"
    case .devices: "live when added or removed"
    case .segment: "live with nat or isolated"
    }
  }
}

/// What a field holds, and so how its text is read, checked, stored and printed.
public indirect enum FieldType: Sendable {
  /// Text checked by a format; stored as a string.
  case text(TextFormat)
  /// `true` or `false`.
  case bool
  /// A whole number within limits.
  case integer(ClosedRange<Int64>)
  /// A quantity of bytes such as `2Gi`; stored as an integer.
  case bytes(ClosedRange<Int64>)
  /// A quantity of CPU such as `500m` or `2`; stored as an integer in thousandths of a processor.
  case millicores(ClosedRange<Int64>)
  /// A duration such as `90s` or `3m`; stored as an integer in seconds.
  case seconds(ClosedRange<Int64>)
  /// One of a few words.
  case choice([String])
  /// The name of a resource of a kind.
  case reference(Kind)
  /// A group of fields.
  case object([Field])
  /// A group of fields of which exactly one is set.
  case oneOf([Field])
  /// A list whose elements have no identity; a change is a change of the whole list.
  case list(FieldType)
  /// A list of groups that are told apart by the value of the field `key`, or of several fields
  /// joined by `/`, such as `guest/protocol`.
  case keyedList(key: String, [Field])
  /// Free text by name.
  case map
  /// Any value, passed on as it is.
  case any
}

/// How a text is checked.
public enum TextFormat: String, Sendable {
  /// Anything but the empty text.
  case plain
  /// A resource's name (RFC 1123 label).
  case name
  /// A host name.
  case hostName
  /// An IPv4 address.
  case ipv4
  /// An IPv4 network in CIDR form.
  case ipv4Network
  /// An IPv6 address, as RFC 5952 writes it.
  case ipv6
  /// An IPv6 network in CIDR form.
  case ipv6Network
  /// An IPv4 or an IPv6 address.
  case address
  /// Whom a rule is about: a network in CIDR form, an address, or `group:` and a security group.
  case peer
  /// A port, or the first and the last of several as `8000-8080`.
  case ports
  /// A MAC address of a single station, lower case with colons.
  case mac
  /// A path of the host; a relative one is resolved against the manifest's directory.
  case path
  /// A word of letters, digits, `.`, `_`, `+` and `-` that begins with a letter or digit.
  case word
  /// A text that is handed to a program: no leading `-`, no white space, no control characters.
  case argument
  /// The name of a network interface of the host.
  case interface
}

/// One field of a kind: everything that decoding, defaults, validation, `explain`, the planner and
/// the reference page need to know about it.
///
/// A class, for a table is never changed and its fields are looked at for every document.
public final class Field: Sendable {
  /// The name in the manifest.
  public let name: String
  /// What it holds.
  public let type: FieldType
  /// Whether it must be set.
  public let isRequired: Bool
  /// The value in normal form where it is left out; nil leaves it out.
  ///
  /// An empty object stands for
  /// a group of its fields' defaults.
  public let defaultValue: JSONValue?
  /// The default with those of the fields below filled in.
  public let filledDefault: JSONValue?
  /// What a change does to a running guest; a group's own effect is unused, its fields count.
  ///
  /// A keyed list's own effect is that of adding, removing and reordering elements.
  public let effect: Effect
  /// When a change takes effect at once all the same; nil where `effect` always holds.
  public let live: LiveCondition?
  /// What making a quantity smaller does, where that differs from `effect`.
  public let shrinking: Effect?
  /// The field beside it that says which thing this one is a property of: a change of both at once
  /// takes effect together.
  public let follows: String?
  /// What to do instead of a change that is refused; nil where another name is all there is.
  public let wayRound: String?
  /// One sentence of documentation.
  public let doc: String

  /// Describes a field.
  public init(
    _ name: String, _ type: FieldType, required: Bool = false,
    default defaultValue: JSONValue? = nil,
    effect: Effect = .none, live: LiveCondition? = nil, shrinking: Effect? = nil,
    follows: String? = nil, wayRound: String? = nil, _ doc: String
  ) {
    self.name = name
    self.type = type
    self.isRequired = required
    self.defaultValue = defaultValue
    filledDefault = Self.filled(defaultValue, type)
    self.effect = effect
    self.live = live
    self.shrinking = shrinking
    self.follows = follows
    self.wayRound = wayRound
    self.doc = doc
  }
}

extension Field {
  private static func filled(_ value: JSONValue?, _ type: FieldType) -> JSONValue? {
    guard case .object(let fields) = type, value != nil else { return value }
    return .object(
      JSONObject(
        members: fields.compactMap { field in
          field.filledDefault.map { JSONObject.Member(name: field.name, value: $0) }
        }))
  }
}

/// A kind's field table.
public struct Schema: Sendable {
  /// The kind.
  public var kind: Kind
  /// One sentence of documentation.
  public var doc: String
  /// The fields of `spec`.
  public var fields: [Field]

  /// Makes a table.
  public init(_ kind: Kind, _ doc: String, _ fields: [Field]) {
    self.kind = kind
    self.doc = doc
    self.fields = fields
  }
}
