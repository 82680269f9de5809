internal import Diagnostics
internal import DiskImage
internal import EmbeddedEngine
internal import EngineInterface
internal import Execution
internal import JSON
internal import Manifests
internal import Planning
internal import Resources
internal import SystemIO

extension ImportedMachine {
  /// The same with absolute paths and the sizes of its disks, which are looked at.
  func measured(_ environment: Environment) async throws -> ImportedMachine {
    var machine = self
    for index in disks.indices {
      let path = environment.absolute(disks[index].path)
      let format = disks[index].format
      machine.disks[index].path = path
      machine.disks[index].size = try await blocking {
        let found = try inspect(Descriptor.open(path, [.read, .nonBlocking]), format: format)
        try found.requireSelfContained(file: path)
        return (found.virtualSize + 511) / 512 * 512
      }
    }
    return machine
  }
}

/// Brings a machine from outside into the engine and into a manifest.
struct MachineImport {
  /// The machine, its disks measured.
  var machine: ImportedMachine
  /// The manifest's name in what is told.
  var file: String
  /// What becomes of the images.
  var way: DiskAdoption.Way
  /// How it is carried out.
  var run: PlanRun

  /// Checks all of it, takes the disks over, writes the manifest, and applies it.
  ///
  /// The manifest is there before the machine is made, so that whatever fails then is gone on with
  /// by applying it.
  func carryOut(writing path: String) async throws {
    let session = run.session
    let observed = try await session.engine.observe()
    let resources = try declared(observed)
    for resource in resources {
      let isThere = observed.resources.contains {
        $0.resource.id == resource.id && $0.phase != .incomplete
      }
      if isThere { throw Failure("there is a \(resource.id) already", help: "pass another --name") }
    }
    try refuse(Planner.plan(desired: DesiredState(resources: resources), observed: observed))
    try await adoptDisks(resources)
    let text = Array(manifestText(of: resources).utf8)
    try await blocking { try replaceFile(path, with: text, permissions: 0o644) }
    let plan = Planner.plan(
      desired: DesiredState(resources: resources), observed: try await session.engine.observe())
    try refuse(plan)
    let result = try await run.execute(plan)
    run.tellLeft(result)
    let status = ApplyReport.status(plan, result, nil)
    if status != .done { throw QuietExit(status: status) }
  }

  /// The resources as the manifest declares them, each with its line.
  private func declared(_ observed: ObservedState) throws -> [Resource] {
    let known = Set(observed.resources.map(\.resource.id))
    func load(_ text: String) throws -> [Resource] {
      let source = ManifestSource(
        file: file, directory: run.session.environment.workingDirectory, bytes: Array(text.utf8))
      SourceLines.shared.keep(source.bytes, of: file)
      let loaded = ManifestLoader.load([source], known: known)
      if loaded.hasErrors { throw Diagnostics(loaded.diagnostics) }
      return loaded.resources
    }
    let documents = machine.documents.map { $0.text(pretty: true) }.joined(separator: "\n---\n")
    // Once more as it is written, for the lines.
    return try load(manifestText(of: try load(documents)))
  }

  private func refuse(_ plan: Plan) throws {
    if !plan.refused.isEmpty { throw Diagnostics(plan.refused.map(\.diagnostic)) }
  }

  private func adoptDisks(_ resources: [Resource]) async throws {
    let lock = try await run.session.engine.lock(for: run.command)
    defer { lock.release() }
    let reporter = ProgressReporter(run.progress, style: run.style, clock: run.session.host.uptime)
    defer { reporter.finish() }
    for disk in machine.disks {
      let id = ResourceID(.volume, machine.volume(disk))
      guard var volume = resources.first(where: { $0.id == id }) else { continue }
      volume.set = PlanOptions.defaultSet
      let subject = id.description
      reporter.report(.started, subject, run.command)
      do {
        let outcome = try await run.session.embedded.adopt(
          volume, DiskAdoption(path: disk.path, way: way)
        ) { reporter.report(.progress($0), subject, "import") }
        reporter.report(.finished(notes: outcome.notes), subject, run.command)
      } catch {
        let report = ErrorReport(error)
        reporter.report(.failed(message: report.text(.plain)), subject, run.command)
        throw QuietExit(status: report.status)
      }
    }
  }
}
