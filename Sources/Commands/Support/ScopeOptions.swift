internal import ArgumentParser
internal import Diagnostics
internal import EngineInterface
internal import Planning
internal import Resources

/// Which resources a command is about.
struct ScopeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Only this resource and what it refers to; may be repeated.", valueName: "kind/name"))
  var target: [String] = []
  @Option(help: ArgumentHelp("Not this resource; may be repeated.", valueName: "kind/name"))
  var exclude: [String] = []
  @Option(
    name: [.customShort("l"), .long],
    help: ArgumentHelp(
      "Only resources with these labels, as k=v, k!=v, k or !k with commas between, and what they "
        + "refer to; all of several must match.",
      valueName: "labels"))
  var selector: [String] = []

  /// Whether nothing is chosen.
  var isEmpty: Bool { target.isEmpty && exclude.isEmpty && selector.isEmpty }

  func validate() throws { _ = try scope() }

  /// The scope, whose names may be those of nothing.
  func scope() throws -> PlanScope {
    var selectors: [LabelSelector] = []
    for text in selector {
      do {
        selectors.append(try LabelSelector(text))
      } catch {
        throw ValidationError("-l: \(error)")
      }
    }
    return PlanScope(
      targets: Set(target.isEmpty ? [] : try Addresses.resources(target)),
      excluded: Set(exclude.isEmpty ? [] : try Addresses.resources(exclude)),
      selectors: selectors)
  }

  /// The scope, whose names must all be known.
  ///
  /// - Throws: `Failure` with the nearest name.
  func scope(among known: [ResourceID]) throws -> PlanScope {
    let scope = try scope()
    for (option, ids) in [("--target", scope.targets), ("--exclude", scope.excluded)] {
      for id in ids.sorted() { try known.require(id, for: option) }
    }
    return scope
  }
}

extension [ResourceID] {
  /// Makes sure that a resource that an option names is there.
  ///
  /// - Throws: `Failure` with the nearest name.
  func require(_ id: ResourceID, for option: String) throws {
    if contains(id) { return }
    let near = nearest(to: id.name, among: filter { $0.kind == id.kind }.map(\.name))
    throw Failure(
      "there is no \(id), which \(option) names",
      help: near.map { "did you mean \(id.kind.shortName)/\($0)?" }
        ?? "name one that the manifests declare")
  }
}
