public import JSON

/// A `Volume`'s specification.
public struct VolumeSpecification: Sendable, Hashable {
  /// The storage pool it is kept in.
  public var pool: String
  /// The size in bytes; grows only.
  public var size: Int64
  /// `qcow2` or `raw`.
  public var format: String

  /// Reads a normalised specification.
  public init(_ spec: JSONValue) throws(SpecificationError) {
    let reader = try SpecificationReader(spec)
    pool = try reader.text("pool")
    size = try reader.integer("size")
    format = try reader.text("format")
  }
}

/// What protects a resource from being deleted; a field of every kind.
public struct LifecycleSpecification: Sendable, Hashable {
  /// Whether deleting and replacing it is refused.
  public var deletionProtection: Bool

  /// Reads the `lifecycle` of a normalised specification of any kind.
  public init(of spec: JSONValue) throws(SpecificationError) {
    let reader = try SpecificationReader(spec)
    deletionProtection = try reader.optionalGroup("lifecycle")?.bool("deletionProtection") ?? false
  }
}
