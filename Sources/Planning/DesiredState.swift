public import Resources

/// What manifests declare, checked and normalised.
public struct DesiredState: Sendable, Hashable {
  /// The resources, each address once; in any order.
  public var resources: [Resource]
  /// For images by name: the digest of what they are built from, as it is now.
  public var inputs: [String: String]

  /// Makes a desired state.
  public init(resources: [Resource], inputs: [String: String] = [:]) {
    self.resources = resources
    self.inputs = inputs
  }
}
