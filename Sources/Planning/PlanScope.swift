public import Resources

/// Which resources a plan is about; all where nothing is named.
public struct PlanScope: Sendable, Hashable {
  /// Resources by name; what they refer to is taken along.
  public var targets: Set<ResourceID>
  /// Resources that are left out, also where they would be taken along.
  public var excluded: Set<ResourceID>
  /// Chooses by labels, beside what is named; all of them must match.
  ///
  /// What is chosen takes along what it refers to.
  public var selectors: [LabelSelector]

  /// Makes a scope; by default everything.
  public init(
    targets: Set<ResourceID> = [], excluded: Set<ResourceID> = [], selectors: [LabelSelector] = []
  ) {
    self.targets = targets
    self.excluded = excluded
    self.selectors = selectors
  }

  /// Whether everything is meant.
  public var isEverything: Bool { targets.isEmpty && excluded.isEmpty && selectors.isEmpty }

  /// Whether a resource is meant by itself.
  public func contains(_ resource: Resource) -> Bool {
    if excluded.contains(resource.id) { return false }
    if targets.isEmpty, selectors.isEmpty { return true }
    return targets.contains(resource.id)
      || !selectors.isEmpty && selectors.allSatisfy { $0.matches(resource.labels) }
  }

  /// The resources that are meant, with what they refer to.
  ///
  /// - Parameter resources: each address once.
  public func chosen(_ resources: [Resource]) -> [Resource] {
    if isEverything { return resources }
    if targets.isEmpty, selectors.isEmpty { return resources.filter(contains) }
    let all = Dictionary(resources.lazy.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
    var left = resources.filter(contains)
    var found = Set(left.map(\.id))
    while let resource = left.popLast() {
      for reference in resource.references {
        guard let other = all[reference.target], !excluded.contains(other.id),
          found.insert(other.id).inserted
        else { continue }
        left.append(other)
      }
    }
    return resources.filter { found.contains($0.id) }
  }
}
