internal import DiskImage
internal import EngineInterface
internal import Ext4
internal import FileTree
internal import Glibc
internal import Resources
internal import SystemIO

/// One conversion from beginning to end, on the caller's thread.
final class ConversionRun {
  private let options: ConversionOptions
  private let host: HostContext
  private let cancellation: Cancellation
  private let afterScan: @Sendable () throws -> Void
  private let afterWriting: @Sendable (String) throws -> Void
  private let readFile: ReadAhead.Read
  private let progress: @Sendable (ActProgress) -> Void
  private var report = ConversionReport()
  private var phaseStart: UInt64

  init(
    options: ConversionOptions, host: HostContext, cancellation: Cancellation,
    afterScan: @escaping @Sendable () throws -> Void,
    afterWriting: @escaping @Sendable (String) throws -> Void, readFile: @escaping ReadAhead.Read,
    progress: @escaping @Sendable (ActProgress) -> Void
  ) {
    self.options = options
    self.host = host
    self.cancellation = cancellation
    self.afterScan = afterScan
    self.afterWriting = afterWriting
    self.readFile = readFile
    self.progress = progress
    phaseStart = host.uptime()
  }

  func run(_ source: ConversionSource, to path: String) throws -> Conversion {
    try options.check()
    report.mode = options.mode.rawValue
    let file = try ImageFile(replacing: path, options.format)
    let (disk, scanned) = try read(source, into: file.descriptor)
    report.dropped = scanned.dropped
    report.changed = scanned.changed
    report.excluded = scanned.excluded

    let lines = scanned.tree.lines(of: "etc/fstab") ?? []
    let targets = options.partitions.map(\.target) + ["/"]
    let identity = try DiskIdentity(
      scanned.tree, options, targets: targets,
      keeping: options.mode == .migrate ? FileSystemTable.uuids(lines) : [:])
    // A file system that was made in the future is corrected at its first check.
    let time = options.sourceDateEpoch ?? min(Self.newest(scanned.tree), host.now().seconds)
    var guest = Guest(
      tree: scanned.tree, mode: options.mode,
      partitions: targets.map { Guest.Partition(target: $0, uuid: "\(identity.fileSystem($0))") },
      hostName: options.hostName, holdsMounts: options.mounts == .read,
      time: FileTime(seconds: time))
    for fix in allFixUps { try fix(&guest) }
    checkFeatures(&guest, options.ext4)
    let boot = findKernel(guest, identity)
    report.fixUps = guest.fixUps
    report.warnings += guest.warnings
    report.counts = Self.counts(guest.tree)
    endPhase("fix up")

    try cancellation.check()
    progress(ActProgress(phase: "finishing"))
    let summary = try disk.finish(guest.tree, identity, creationTime: time)
    describe(summary.volumes, summary.image, identity)
    endPhase("finish")
    try afterWriting(file.descriptor.name)
    if options.verifies { try verify(disk, in: file) }
    let written = try file.commit(
      virtualSize: report.image.virtualSize, cancellation: cancellation)
    report.image.digest = written.digest
    report.image.fileSize = written.fileSize
    if let manifest = options.manifest {
      try TreeManifest(guest.tree, disk.written.map { ($0.target, $0.digests) }).write(to: manifest)
    }
    endPhase("synchronise", bytes: report.image.fileSize)
    return Conversion(report: report, bootFiles: boot)
  }

  /// Reads the image back before it gets its name.
  private func verify(_ disk: GuestDisk, in file: ImageFile) throws {
    guard let table = disk.table else { return }
    progress(ActProgress(phase: "verifying"))
    try ImageVerification(
      try DiskReader(file.descriptor, format: options.format.ofDisk),
      threads: options.threads ?? host.processors,
      cancellation: cancellation
    ).run(table, disk.written)
    report.image.isVerified = true
    endPhase("verify")
  }

  private func describe(
    _ volumes: [GuestDisk.FinishedVolume], _ image: DiskWriter.Summary, _ identity: DiskIdentity
  ) {
    report.image.format = options.format.rawValue
    report.image.virtualSize = image.virtualSize
    report.image.fileSize = image.fileSize
    report.image.diskGUID = "\(identity.disk)"
    report.image.partitions = volumes.map { volume in
      let target = volume.layout.target
      return ConversionReport.Partition(
        target: target, uuid: "\(identity.fileSystem(target))",
        partitionUUID: "\(identity.partition(target))", size: volume.size,
        freeSize: volume.fileSystem?.freeSize ?? volume.size)
    }
    let clamped = volumes.reduce(0) { $0 + ($1.fileSystem?.clampedTimes ?? 0) }
    if clamped > 0 {
      report.warnings.append(
        "\(clamped) time stamps lie outside 1901 to 2446 and were moved to the nearest that ext4 "
          + "holds")
    }
  }

  /// - Parameter bytes: that were read or written in the phase; nil where bytes don't tell.
  private func endPhase(_ name: String, bytes: Int? = nil) {
    let now = host.uptime()
    report.phases.append(
      ConversionReport.Phase(name: name, nanoseconds: now - phaseStart, bytes: bytes))
    phaseStart = now
  }
}

// MARK: - Sources

extension ConversionRun {
  /// Reads a source into a new disk.
  private func read(
    _ source: ConversionSource, into file: Descriptor
  ) throws -> (disk: GuestDisk, scanned: ScannedTree) {
    let epoch = options.sourceDateEpoch
    switch source {
    case .directory(let path):
      report.source = path
      return try readDirectory(path, into: file)
    case .archive(let path):
      report.source = path
      let input = try Self.open(archive: path)
      // Only a file tells its size.
      let size = path == "-" ? nil : try? input.size()
      let disk = try makeDisk(file, nil)
      let meter = meter(total: size)
      let tree = try unpack(input, epoch, to: disk, meter)
      endPhase("unpack", bytes: meter.done)
      return (disk, tree)
    case .bootstrap(let distribution):
      report.source = "mmdebstrap \(distribution.distribution) \(distribution.suite)"
      let disk = try makeDisk(file, nil)
      return (disk, try readBootstrap(distribution, to: disk))
    }
  }

  private func readDirectory(
    _ path: String, into file: Descriptor
  ) throws -> (disk: GuestDisk, scanned: ScannedTree) {
    let scanner = try DirectoryScanner(path, options, cancellation: cancellation)
    progress(ActProgress(phase: "scanning"))
    let threads = options.threads ?? host.processors
    let scanned = try scanner.scan(threads: threads, policy: policy(options.sourceDateEpoch))
    endPhase("scan")
    try afterScan()
    let disk = try makeDisk(file, scanned)
    let meter = meter(total: scanned.contentBytes)
    let tree = try ContentStreaming(
      scanned, to: disk, readers: try ReadAhead(threads: threads, reading: readFile),
      heldLimit: options.heldBytesLimit, meter: meter
    ).run()
    endPhase("pack", bytes: meter.done)
    return (disk, tree)
  }

  private func readBootstrap(
    _ distribution: ImageSpecification.Bootstrap, to disk: GuestDisk
  ) throws -> ScannedTree {
    let clamp = options.sourceDateEpoch ?? Bootstrap.defaultEpoch
    progress(ActProgress(phase: "bootstrapping"))
    let bootstrap = try Bootstrap(
      distribution, environment: options.environment, epoch: clamp, bootID: host.bootID)
    do {
      let meter = meter(total: nil)
      let tree = try cancellation.whileWaiting({ bootstrap.interrupt() }) {
        let tree = try unpack(bootstrap.output, clamp, to: disk, meter)
        try bootstrap.finish()
        return tree
      }
      endPhase("bootstrap", bytes: meter.done)
      return tree
    } catch {
      try cancellation.check()
      throw bootstrap.explain(error) { usleep(UInt32($0 / .microseconds(1))) }
    }
  }

  private func makeDisk(_ file: Descriptor, _ scanned: ScannedTree?) throws -> GuestDisk {
    try GuestDisk(
      file, options, try PartitionLayout.layouts(options.partitions, scanned),
      threads: options.threads ?? host.processors)
  }

  private func unpack(
    _ input: Descriptor, _ epoch: Int64?, to disk: GuestDisk, _ meter: Meter
  ) throws -> ScannedTree {
    try ArchiveUnpacking(input, to: disk, policy: policy(epoch), options, meter: meter).run()
  }

  private func policy(_ epoch: Int64?) -> AttributePolicy {
    // An archive has no births to keep, and one whose bytes are to be the same can't have them.
    AttributePolicy(
      keepsBirth: options.mode == .migrate && options.sourceDateEpoch == nil, latest: epoch)
  }

  private func meter(total: Int?) -> Meter {
    Meter(cancellation, uptime: host.uptime, rate: options.rateLimit) { [progress] done in
      progress(ActProgress(phase: "packing", completed: done, total: total))
    }
  }

  private static func open(archive path: String) throws -> Descriptor {
    if path == "-" {
      let copy = try checked("read", "standard input") { dup(0) }
      return Descriptor(owning: copy, name: "standard input")
    }
    do {
      return try Descriptor.open(path, .read)
    } catch {
      throw ConversionError(
        "\(error)", help: "give a directory that holds a machine's root, or a tar of one")
    }
  }
}

// MARK: - What the tree holds

extension ConversionRun {
  private func findKernel(_ guest: Guest, _ identity: DiskIdentity) -> BootFiles? {
    var search = KernelSearch(guest.tree)
    guard let kernel = search.run() else {
      report.warnings.append(
        "there is no kernel in /boot, so that nothing can boot the disk directly; install one in "
          + "the source")
      return nil
    }
    report.warnings += search.warnings
    // Without an initramfs nobody knows file systems' UUIDs but the kernel knows partitions'.
    let root =
      kernel.initialRAMDisk == nil
      ? "PARTUUID=\(identity.partition("/"))" : "UUID=\(identity.fileSystem("/"))"
    let own = KernelArguments(guest.tree, isTemplate: guest.isTemplate)
    report.warnings += own.warnings
    var arguments = own.appended(to: "root=\(root) ro console=tty0 console=ttyS0,115200")
    // A stale resume device costs half a minute at every boot.
    if guest.tree.has("etc/initramfs-tools/conf.d/resume") { arguments += " noresume" }
    report.kernel = ConversionReport.Kernel(
      version: kernel.version, path: "/\(kernel.path)",
      initialRAMDisk: kernel.initialRAMDiskPath.map { "/\($0)" }, arguments: arguments)
    return BootFiles(
      kernel: kernel.bytes, initialRAMDisk: kernel.initialRAMDisk, arguments: arguments)
  }

  private static func newest(_ tree: FileTree) -> Int64 {
    tree.walk().reduce(tree[FileTree.root].modified.seconds) {
      max($0, tree[$1.node].modified.seconds)
    }
  }

  private static func counts(_ tree: FileTree) -> ConversionReport.Counts {
    var counts = ConversionReport.Counts()
    counts.directories = 1
    var seen: Set<FileTree.Node> = []
    for step in tree.walk() {
      if tree.linkCount(of: step.node) > 1, !tree.isDirectory(step.node),
        !seen.insert(step.node).inserted
      {
        counts.hardLinks += 1
        continue
      }
      counts.extendedAttributes += tree[step.node].extended.count
      switch tree.kind(of: step.node) {
      case .directory: counts.directories += 1
      case .regular(let content):
        counts.files += 1
        let size = Int(clamping: content.size)
        counts.contentBytes = min(counts.contentBytes, Int.max - size) + size
      case .symbolicLink: counts.symbolicLinks += 1
      case .characterDevice, .blockDevice: counts.devices += 1
      case .fifo, .socket: counts.pipesAndSockets += 1
      }
    }
    return counts
  }
}
