internal import Diagnostics
internal import EmbeddedEngine
internal import EngineInterface
internal import Manifests
internal import Planning
internal import Resources

extension EngineSession {
  /// What manifests declare, with the digests of what their images are built from.
  ///
  /// - Throws: `Diagnostics` with all that is wrong.
  func desired(_ manifests: ManifestPaths, observed: ObservedState, style: Style) async throws
    -> DesiredState
  {
    let known = Set(observed.resources.map(\.resource.id))
    let loaded = try ManifestInput.load(
      manifests, environment: environment, known: known, style: style)
    var inputs: [ResourceID: String] = [:]
    for resource in loaded.resources where resource.id.kind == .image {
      inputs[resource.id] = try await images.inputs(of: resource)
    }
    var problems: [Diagnostic] = []
    for resource in loaded.resources where resource.id.kind == .virtualMachine {
      do {
        inputs[resource.id] = try await embedded.secretsDigest(of: resource)
      } catch let error as EngineError where error.code == "secret-unavailable" {
        problems.append(
          Diagnostic(
            "secret-unavailable", error.message, path: "spec.cloudInit.secrets",
            at: resource.fieldSources["spec.cloudInit.secrets"] ?? resource.source,
            help: error.help))
      }
    }
    if !problems.isEmpty { throw Diagnostics(problems) }
    return DesiredState(resources: loaded.resources, inputs: inputs)
  }
}

extension DesiredState {
  /// Makes sure that a resource that an option names is declared.
  ///
  /// - Throws: `Failure` with the nearest name.
  func require(_ id: ResourceID, for option: String) throws {
    if resources.contains(where: { $0.id == id }) { return }
    let names = resources.filter { $0.id.kind == id.kind }.map(\.id.name)
    let near = nearest(to: id.name, among: names).map { "did you mean \(id.kind.shortName)/\($0)?" }
    throw Failure(
      "no manifest declares \(id), which \(option) names",
      help: near ?? "name one that the manifests declare")
  }
}
