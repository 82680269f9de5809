internal import DiskImage
internal import EngineInterface
internal import GRDB
internal import JSON
internal import Monitor
internal import QEMU
internal import Resources
internal import SystemIO

// A machine's specification as its monitor and QEMU are to see it.
extension EmbeddedEngine {
  /// Writes what the next start will run; nothing is written where it stands there already.
  ///
  /// - Parameter network: a network that is about to be as it says here.
  func writeConfiguration(
    _ uid: String, _ resource: Resource, generation: Int64, changing network: Resource? = nil
  ) throws {
    let directory = MachineDirectory(home.machine(uid))
    let configuration = try makeConfiguration(
      uid, resource, generation: generation, changing: network)
    do {
      // One that can't be read is replaced.
      if let old = try? MonitorConfiguration.read(directory), old == configuration { return }
      try configuration.write(directory)
    } catch {
      throw EngineError.wrapping(error, doing: "write \(directory.configuration)")
    }
  }

  func makeConfiguration(
    _ uid: String, _ resource: Resource, generation: Int64, changing network: Resource? = nil
  ) throws -> MonitorConfiguration {
    let spec = try MachineSpecification(resource.spec)
    let choice = try accelerator()
    let facts = try store.read { db in
      try ConfigurationFacts(db, spec, uid: uid, changing: network, in: self)
    }
    guard let memory = Int(exactly: spec.memory), let most = Int(exactly: spec.maximumMemory) else {
      throw EngineError("invalid", "the memory of \(resource.id) is out of range")
    }
    var disks = facts.disks
    if fileExists(seedPath(uid)) {
      disks.append(
        MachineSpec.Disk(
          id: "seed", layers: [.init(path: seedPath(uid), format: .raw)], device: .seed,
          readOnly: true, discard: false))
    }
    let machine = MachineSpec(
      name: resource.id.name, uuid: uid, cpus: spec.cpus, maximumCPUs: spec.maximumCPUs,
      cpuModel: spec.cpuModel == "host" ? nil : spec.cpuModel, memory: memory,
      maximumMemory: max(memory, most), accelerator: choice.accelerator,
      firmware: try firmware(uid, resource.id, spec, facts, choice.accelerator), disks: disks,
      interfaces: facts.cards.interfaces)
    return MonitorConfiguration(
      machineID: uid,
      generation: StartMark(resource, generation: generation, networks: facts.networks).text,
      qemu: programs.qemu, machine: machine,
      strategy: RunStrategy(rawValue: spec.runStrategy.rawValue) ?? .manual,
      grace: spec.terminationGracePeriod * 1000,
      readiness: try spec.readinessProbe.map { try probe($0, facts, resource.id) },
      networkExecutable: facts.cards.haveTaps ? programs.network : nil)
  }

  private func firmware(
    _ uid: String, _ id: ResourceID, _ spec: MachineSpecification, _ facts: ConfigurationFacts,
    _ accelerator: MachineSpec.Accelerator
  ) throws -> MachineSpec.Firmware {
    switch spec.boot {
    case .bios: return .bios
    case .direct:
      guard let image = facts.bootImage, let kernel = image.built.kernel else {
        throw EngineError(
          "invalid",
          "\(id) boots directly, but its first disk is no clone of an image with a kernel",
          help: "put such a disk first, add `direct` to the image's spec.boot, or set "
            + "firmware.boot to bios")
      }
      let directory = home.image(image.digest)
      return .direct(
        kernel: "\(directory)/\(kernel)",
        initrd: image.built.initialRAMDisk.map { "\(directory)/\($0)" },
        commandLine: (image.built.kernelArguments ?? "") + timerArguments(accelerator)
          + memoryArguments(spec))
    case .uefi:
      guard let code = programs.firmwareCode, let template = programs.firmwareVariables else {
        throw EngineError(
          "unsupported", "\(id) boots by UEFI, but the firmware is not installed",
          help: "install the package ovmf, or set firmware.boot to bios or direct")
      }
      let variables = home.machine(uid) + "/nvram.fd"
      if !fileExists(variables) {
        try replaceFile(variables, with: try readFile(template))
      }
      return .uefi(code: code, variables: variables)
    }
  }

  /// Keeps a kernel that QEMU emulates on a busy host from taking late timer interrupts for a broken
  /// timer, which is a panic at boot (kernel-parameters.txt); under KVM Linux does so by itself.
  private func timerArguments(_ accelerator: MachineSpec.Accelerator) -> String {
    accelerator == .tcg ? " no_timer_check" : ""
  }

  /// Lets a kernel that is handed its command line use memory as soon as it is plugged in, where it
  /// can be taken away again (kernel-parameters.txt, memory-hotplug.rst); older ones ignore it.
  private func memoryArguments(_ spec: MachineSpecification) -> String {
    spec.maximumMemory > spec.memory
      ? " memhp_default_state=online memory_hotplug.online_policy=auto-movable" : ""
  }

  private func probe(
    _ probe: MachineSpecification.Probe, _ facts: ConfigurationFacts, _ id: ResourceID
  ) throws -> Monitor.Probe {
    let check: Monitor.Probe.Check
    switch probe.check {
    case .guestAgent: check = .guestAgent
    case .exec(let command): check = .exec(command: command)
    case .console(let pattern): check = .console(text: pattern)
    case .tcp(let port):
      guard let way = facts.cards.way(to: port) else {
        throw EngineError(
          "invalid",
          "the readiness probe of \(id) asks port \(port), but no interface has an address for it",
          help: "give it an interface on a network of mode user, nat or isolated, "
            + "or an `address` on one of mode bridge")
      }
      check = way
    }
    let period = max(1, probe.period) * 1000
    return Monitor.Probe(check, period: period, timeout: min(max(period, 2000), 10_000))
  }
}

/// What the store knows that a configuration needs.
struct ConfigurationFacts {
  var disks: [MachineSpec.Disk] = []
  var cards = CardFacts()
  /// What the interfaces are plugged into.
  var networks: NetworkDefinitions
  /// The image that the first disk is a clone of.
  var bootImage: StoredImage?

  init(
    _ db: Database, _ spec: MachineSpecification, uid: String, changing changed: Resource?,
    in engine: EmbeddedEngine
  ) throws {
    networks = try NetworkDefinitions(spec) { name in
      let id = ResourceID(.network, name)
      if let changed, changed.id == id { return changed.networkDefinition }
      return try StoredResource.require(db, id).resource.networkDefinition
    }
    let owned = try StoredDisk.owned(by: uid, db)
    for (index, disk) in spec.disks.enumerated() {
      let row: StoredDisk?
      if case .volume(let name) = disk.source {
        let volume = try StoredResource.require(db, ResourceID(.volume, name))
        row = try StoredDisk.owned(by: volume.uid, db).first { !$0.isRetired }
      } else {
        row = owned.first { $0.name == disk.name }
      }
      guard let row else { throw corruptRow("disks", "disk \(disk.name) of \(uid) is missing") }
      var layers = [MachineSpec.Layer(path: row.path, format: row.format.layer)]
      if let digest = row.image {
        guard let image = try StoredImage.find(db, digest) else {
          throw corruptRow("images", "the image \(digest) of disk \(row.uid) is missing")
        }
        layers.append(
          MachineSpec.Layer(
            path: "\(engine.home.image(digest))/\(image.built.disk)", format: image.format.layer))
        if index == 0 { bootImage = image }
      }
      disks.append(
        MachineSpec.Disk(
          id: disk.blockNode, layers: layers, serial: String(disk.name.prefix(20)),
          bootIndex: spec.boot == .direct ? nil : index, limits: try disk.limits))
    }
    cards = try CardFacts(db, spec, uid: uid, on: networks, in: engine)
  }
}

/// FNV-1a in 64 bits (draft-eastlake-fnv), where a hash need not be hard to forge.
func fnv1a(_ bytes: some Sequence<UInt8>) -> UInt64 {
  bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
}

extension DiskFormat {
  var layer: MachineSpec.Layer.Format { self == .raw ? .raw : .qcow2 }
}

extension MachineSpecification.Disk {
  /// Its name in QMP.
  var blockNode: String { "disk-\(name)" }

  /// How fast it may be, as QEMU takes it.
  var limits: MachineSpec.DiskLimits {
    get throws(EngineError) {
      guard let bytes = Int(exactly: bandwidthLimit ?? 0),
        let requests = Int(exactly: requestLimit ?? 0)
      else { throw EngineError("invalid", "the limits of disk \(name) are out of range") }
      return MachineSpec.DiskLimits(bytesPerSecond: bytes, operationsPerSecond: requests)
    }
  }
}
