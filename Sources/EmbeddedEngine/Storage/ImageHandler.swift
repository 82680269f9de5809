internal import DiskImage
internal import EngineInterface
internal import GRDB
internal import JSON
internal import Resources
internal import SystemIO

/// A golden image: built once, then sealed in the directory of its digest.
struct ImageHandler: ResourceHandler {
  func reserve(_ db: Database, _ change: Change, in engine: EmbeddedEngine) throws {
    guard let after = change.after else { return }
    let spec = try ImageSpecification(after.spec)
    if case .image(let name) = spec.source { _ = try engine.currentImage(db, name) }
  }

  func carryOut(_ run: ActRun) async throws -> ActOutcome {
    let engine = run.engine
    let change = run.change
    guard let after = change.after else { return ActOutcome() }
    // Equal inputs give the same bytes: nothing but the row changes.
    if let before = change.before, let inputs = change.inputs, before.inputs == inputs,
      let path = before.details["path"]?.string,
      try await engine.offload({ fileExists(path) })
    {
      return ActOutcome()
    }
    let directory = engine.home.building(change.uid)
    let base = try await engine.offload { try engine.baseImageDirectory(of: after) }
    var built: BuiltImage?
    try await run.asyncStep("build") {
      try await engine.offload {
        try removeTree(directory)
        try makeDirectories(directory, permissions: 0o700)
      }
      built = try await engine.imageBuilder.build(
        after, into: directory, baseImage: base, progress: run.progress)
    }
    guard let built else { return ActOutcome() }
    run.progress(ActProgress(phase: "sealing"))
    try await run.step("seal") {
      try engine.seal(built, of: change, intent: run.intent, directory)
    }
    // Guests run on in what their disks were cloned from.
    return ActOutcome()
  }

  func details(
    _ db: Database, _ change: Change, in engine: EmbeddedEngine
  ) throws -> JSONValue {
    guard
      let digest = try engine.sealedDigest(db, of: change.id)
        ?? change.before?.details["digest"]?.string,
      let image = try StoredImage.find(db, digest)
    else { throw corruptRow("images", "the image that was just built is missing") }
    return [
      "digest": .string(digest), "diskDigest": .string(image.diskDigest),
      "path": .string(engine.home.image(digest) + "/" + image.built.disk),
      "format": .string(image.format.rawValue),
      "virtualSize": .integer(image.built.virtualSize),
      "kernel": JSONValue(image.built.kernel),
      "initialRAMDisk": JSONValue(image.built.initialRAMDisk),
      "kernelArguments": JSONValue(image.built.kernelArguments),
      "firmware": .array(image.built.firmware.map(JSONValue.string)),
      "report": image.built.report,
    ]
  }

  func remove(_ run: ActRun) async throws {
    try await run.step("files") { [engine = run.engine, uid = run.uid] in
      try removeTree(engine.home.building(uid))
    }
  }

  func forget(_ db: Database, uid: String) throws {}
}
