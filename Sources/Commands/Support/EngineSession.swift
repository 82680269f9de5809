internal import Conversion
internal import EmbeddedEngine
internal import EngineInterface
internal import JSON
internal import Monitor
internal import Resources
internal import SystemIO

/// The engine of this host, opened for one command.
struct EngineSession: Sendable {
  /// The engine, by what every engine can.
  let engine: any Engine
  /// The same, by what only the embedded one can: consoles and forwarded ports.
  let embedded: EmbeddedEngine
  /// What tells images apart and builds them.
  let images: any ImageBuilder
  /// Clock, randomness and facts of the host.
  let host: HostContext
  /// What the environment says.
  let environment: Environment
  /// The absolute directory of the engine's state.
  let home: String

  /// Opens it.
  ///
  /// - Throws: `Failure` where no directory is known, `EngineError`.
  static func open(_ options: GlobalOptions) throws -> EngineSession {
    let environment = Environment.current()
    let host = HostContext.live()
    let home = try environment.homeDirectory(option: options.home)
    let images = Programs.imageBuilder(environment, host: host)
    let engine = try EmbeddedEngine.open(
      home: home, host: host, imageBuilder: images,
      secrets: SecretReader(environment: environment, host: host),
      programs: Programs.paths(environment),
      actor: .current(Array(CommandLine.arguments.dropFirst())))
    return EngineSession(
      engine: engine, embedded: engine, images: images, host: host, environment: environment,
      home: home)
  }

  /// One resource as the engine holds it.
  ///
  /// - Throws: `Failure` with the nearest name where there is none.
  func resource(_ id: ResourceID) async throws -> ObservedResource {
    try await engine.observe().resource(id)
  }

  /// The directory that a machine's monitor works in.
  func machineDirectory(_ machine: ObservedResource) -> MachineDirectory {
    MachineDirectory(
      machine.details["directory"]?.string ?? "\(home)/machines/\(machine.uid)")
  }
}
