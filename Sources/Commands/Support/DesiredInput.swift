internal import Diagnostics
internal import EmbeddedEngine
internal import EngineInterface
internal import Manifests
internal import Planning
internal import Resources

extension EngineSession {
  /// Manifests that may refer to what the engine holds, and what it holds: the one is read while
  /// the engine looks at the other.
  ///
  /// - Throws: `Diagnostics` with all that is wrong.
  func loaded(
    _ manifests: ManifestPaths, style: Style
  ) async throws -> (LoadedManifests, ObservedState) {
    async let looking = engine.observe()
    let decoded = ManifestInput.decoded(manifests, environment: environment)
    let observed = try await looking
    let known = Set(observed.resources.map(\.resource.id))
    return (try decoded.loaded(known: known, style: style), observed)
  }

  /// What manifests declare, with the digests of what their images are built from.
  ///
  /// - Throws: `Diagnostics` with all that is wrong.
  func desired(_ loaded: LoadedManifests) async throws -> DesiredState {
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
            at: resource.written.span(at: "spec.cloudInit.secrets") ?? resource.source,
            help: error.help))
      }
    }
    if !problems.isEmpty { throw Diagnostics(problems) }
    return DesiredState(resources: loaded.resources, inputs: inputs)
  }
}
