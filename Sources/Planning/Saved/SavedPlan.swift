public import JSON
internal import Resources

/// A plan to be carried out later, with what tells whether it still holds.
public struct SavedPlan: Sendable, Hashable {
  /// The plan.
  public var plan: Plan
  /// When it was made, in seconds since 1970.
  public var created: Int64
  /// The files it was made from.
  public var manifests: [Manifest]

  /// A file that a plan was made from.
  public struct Manifest: Sendable, Hashable {
    /// The file, as it was named.
    public var file: String
    /// The SHA-256 of its content, in hexadecimal.
    public var digest: String

    /// Describes a file.
    public init(file: String, digest: String) {
      self.file = file
      self.digest = digest
    }
  }

  /// Puts a plan together with what it was made from.
  public init(_ plan: Plan, created: Int64, manifests: [Manifest]) {
    self.plan = plan
    self.created = created
    self.manifests = manifests
  }

  /// Everything, so that reading it gives the same value.
  public var jsonValue: JSONValue {
    var value = plan.jsonValue(withResources: true)
    value["saved"] = [
      "created": .integer(created),
      "manifests": .array(
        manifests.map { ["file": .string($0.file), "digest": .string($0.digest)] }),
    ]
    return value
  }

  /// Reads what `jsonValue` gave.
  ///
  /// - Throws: `JSONShapeError` where it is no saved plan, or one of another major version.
  public init(_ value: JSONValue) throws(JSONShapeError) {
    let reader = JSONReader(value)
    let version = try reader.member("format_version").string()
    guard Plan.canRead(version) else {
      throw JSONShapeError(
        path: "format_version", expected: "\(Plan.formatVersion) or a later minor version of it")
    }
    plan = try Plan(reader)
    let saved = try reader.member("saved")
    created = try saved.member("created").integer()
    manifests = []
    for file in try saved.member("manifests").list() {
      manifests.append(
        Manifest(
          file: try file.member("file").string(), digest: try file.member("digest").string()))
    }
  }
}
