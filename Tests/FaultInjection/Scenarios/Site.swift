internal import Conversion
package import EmbeddedEngine
internal import EngineInterface
internal import Execution
package import Planning
package import Resources
package import SystemIO

/// One run's directory, with the engine in it: what the command does, and what a test asks.
package struct Site: Sendable {
  /// The run's directory.
  package let root: String
  /// The engine.
  package let engine: EmbeddedEngine
  private let images: ConversionImageBuilder

  /// The engine's directory in a run's.
  package static func home(of root: String) -> String { root + "/home" }

  /// Opens the engine of a run's directory.
  ///
  /// - Parameter programs: the monitor and QEMU, or what stands in for them.
  package init(root: String, programs: ProgramPaths, host: HostContext = .live()) throws {
    self.root = root
    images = ConversionImageBuilder(host: host)
    engine = try EmbeddedEngine.open(
      home: Self.home(of: root), host: host, imageBuilder: images, programs: programs)
  }

  /// Plans what brings the engine to a state.
  package func plan(
    _ resources: [Resource], restart: Bool = false, prune: Bool = false
  ) async throws -> Plan {
    let resources = resources.map { $0.placed(in: root) }
    var inputs: [ResourceID: String] = [:]
    for resource in resources where resource.id.kind == .image {
      inputs[resource.id] = try await images.inputs(of: resource)
    }
    return Planner.plan(
      desired: DesiredState(resources: resources, inputs: inputs),
      observed: try await engine.observe(),
      options: PlanOptions(allowRestart: restart, allowReplace: true, prune: prune))
  }

  /// Carries an operation out.
  ///
  /// - Throws: `EngineError`, also where an act of a plan failed.
  package func perform(_ operation: Scenario.Operation) async throws {
    switch operation {
    case .apply(let resources, let restart, let prune):
      try await run(try await plan(resources, restart: restart, prune: prune))
    case .destroy:
      try await run(Planner.planDestroy(.all(set: nil), observed: try await engine.observe()))
    case .adopt(let volume, let file, let isMoved):
      var volume = volume.placed(in: root)
      volume.set = PlanOptions.defaultSet
      let adoption = DiskAdoption(path: "\(root)/\(file).raw", way: isMoved ? .move : .copy)
      do {
        _ = try await engine.adopt(volume, adoption, progress: { _ in })
      } catch let error as EngineError where error.code == "exists" {
        // It was done before its process died.
      }
    case .control(let machine, let verb): try await engine.control(machine, verb)
    case .observe:
      for _ in 0..<500 {
        let states = try await engine.observe().resources.compactMap(\.machine?.state)
        if states.allSatisfy({ $0 == .running }) { return }
        try await Task.sleep(for: .milliseconds(10))
      }
    }
  }

  private func run(_ plan: Plan) async throws {
    guard plan.refused.isEmpty else {
      throw EngineError("refused", "the plan refuses \(plan.refused.map(\.id))")
    }
    let result = try await Executor(engine: engine, host: .live()).run(plan)
    for item in result.items {
      if case .failed(let error) = item.outcome { throw error }
    }
  }
}
