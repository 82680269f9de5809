public import JSON

/// A `StoragePool`'s specification.
public struct StoragePoolSpecification: Sendable, Hashable {
  /// The directory that holds the volumes; nil means one below the engine's own directory.
  public var path: String?

  /// Reads a normalised specification.
  public init(_ spec: JSONValue) throws(SpecificationError) {
    path = try SpecificationReader(spec).optionalText("path")
  }
}

/// A `ResourcePool`'s specification: a node of the tree that machines are billed to.
public struct ResourcePoolSpecification: Sendable, Hashable {
  /// One resource's part.
  public struct Part: Sendable, Hashable {
    /// Weight against siblings: 1 to 10,000.
    public var shares: Int64
    /// Guaranteed amount, in millicores or bytes.
    public var reservation: Int64
    /// Ceiling in the same unit; nil means none.
    public var limit: Int64?
    /// Whether children may borrow unreserved capacity of the pools above.
    public var isExpandable: Bool
  }

  /// The pool above; nil for a pool directly below the host.
  public var parent: String?
  /// CPU, in millicores.
  public var cpu: Part
  /// Memory, in bytes.
  public var memory: Part

  /// Reads a normalised specification.
  public init(_ spec: JSONValue) throws(SpecificationError) {
    let reader = try SpecificationReader(spec)
    func part(_ name: String) throws(SpecificationError) -> Part {
      let group = try reader.group(name)
      return Part(
        shares: try group.integer("shares"), reservation: try group.integer("reservation"),
        limit: try group.optionalInteger("limit"), isExpandable: try group.bool("expandable"))
    }
    parent = try reader.optionalText("parent")
    cpu = try part("cpu")
    memory = try part("memory")
  }
}
