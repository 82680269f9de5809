public import Diagnostics
public import JSON

/// A resource as declared: its address, its labels and its normalised specification.
public struct Resource: Sendable, Hashable {
  /// The address.
  public var id: ResourceID
  /// Labels, by name.
  public var labels: [Label]
  /// Annotations, by name.
  public var annotations: [Label]
  /// The specification in normal form: every default filled in, quantities as integers in their
  /// base unit, members in the order of the field table.
  public var spec: JSONValue
  /// The fields that the manifest itself set, with their places; the rest are defaults.
  public var written: WrittenFields
  /// The apply set it belongs to: the one that made or took it over last; nil for none.
  public var set: String?
  /// Where the document begins; nil where no file holds it.
  public var source: SourceSpan?

  /// A label or an annotation.
  public struct Label: Sendable, Hashable {
    /// The name.
    public var name: String
    /// The value.
    public var value: String
    /// Makes a label.
    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// Makes a resource; labels are kept sorted by name.
  public init(
    _ id: ResourceID, spec: JSONValue, labels: [Label] = [], annotations: [Label] = [],
    written: WrittenFields = WrittenFields(), set: String? = nil, source: SourceSpan? = nil
  ) {
    self.id = id
    self.spec = spec
    self.labels = labels.sorted { $0.name < $1.name }
    self.annotations = annotations.sorted { $0.name < $1.name }
    self.written = written
    self.set = set
    self.source = source
  }
}

extension Resource {
  /// The names of the networks that a machine's interfaces are declared to be on.
  public var networkNames: Set<String> {
    Set((spec["interfaces"]?.array ?? []).compactMap { $0["network"]?.string })
  }
}
