public import Resources

/// What manifests declare, checked and normalised.
public struct DesiredState: Sendable, Hashable {
  /// The resources, each address once; in any order.
  public var resources: [Resource]
  /// The digests of what images are built from and of what machines' secrets are, as it is now.
  public var inputs: [ResourceID: String]

  /// Makes a desired state.
  public init(resources: [Resource], inputs: [ResourceID: String] = [:]) {
    self.resources = resources
    self.inputs = inputs
  }
}
