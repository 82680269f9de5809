internal import EngineInterface
internal import JSON
internal import QEMU
internal import Synchronization
internal import SystemIO

extension EmbeddedEngine {
  /// What is known about this host's accelerator, found out where it isn't; for tests, which open
  /// many engines on one host.
  package func acceleratorFact() throws -> String? {
    _ = try accelerator()
    return try store.fact("accelerator")
  }

  /// Takes over what another engine on this host found out.
  package func setAcceleratorFact(_ fact: String) throws { try store.setFact("accelerator", fact) }

  /// What runs guests' instructions on this host; found out once a boot and QEMU binary.
  ///
  /// - Throws: `EngineError` where there is no QEMU or it is too old.
  func accelerator() throws -> AcceleratorChoice {
    // Many acts ask at once; one of them finds out.
    try knownAccelerator.withLock { known in
      if let known { return known }
      let choice = try findAccelerator()
      known = choice
      return choice
    }
  }

  private func findAccelerator() throws -> AcceleratorChoice {
    let status: FileStatus
    do {
      status = try Descriptor.open(programs.qemu, .read).status()
    } catch {
      throw EngineError(
        "missing-program", "QEMU can't be used: \(error)",
        help: "install the package qemu-system-x86; `ingot doctor` tells more")
    }
    let mark =
      "\(host.bootID) \(programs.qemu) \(status.inode) \(status.size) \(status.modified.seconds)"
    if let known = try store.fact("accelerator"), let value = try? JSONValue(parsing: known),
      value["mark"]?.string == mark,
      // A fact that can't be read is found out again.
      let choice = try? AcceleratorChoice(JSONReader(value))
    {
      return choice
    }
    let binary: QEMUBinary
    do {
      binary = try QEMUBinary.find(programs.qemu, searchPath: "", host: host)
    } catch {
      throw EngineError("missing-program", "\(error)", help: "`ingot doctor` tells more")
    }
    let choice = AcceleratorChoice.probe(binary, host: host)
    var value = choice.json
    value["mark"] = .string(mark)
    try store.setFact("accelerator", value.text())
    return choice
  }
}
