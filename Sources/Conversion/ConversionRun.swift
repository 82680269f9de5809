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
  private let progress: @Sendable (ActProgress) -> Void
  private var report = ConversionReport()
  private var phaseStart: UInt64

  init(
    options: ConversionOptions, host: HostContext, cancellation: Cancellation,
    afterScan: @escaping @Sendable () throws -> Void,
    progress: @escaping @Sendable (ActProgress) -> Void
  ) {
    self.options = options
    self.host = host
    self.cancellation = cancellation
    self.afterScan = afterScan
    self.progress = progress
    phaseStart = host.uptime()
  }

  func run(_ source: ConversionSource, to path: String) throws -> Conversion {
    try options.check()
    let file = try PendingFile(replacing: path, permissions: 0o644)
    let disk = try RootDisk(
      file.descriptor, options, threads: options.compressors ?? host.processors)
    let scanned = try read(source, to: disk.writer)
    report.mode = options.mode.rawValue
    report.dropped = scanned.dropped
    report.changed = scanned.changed
    report.excluded = scanned.excluded

    let lines = scanned.tree.lines(of: "etc/fstab") ?? []
    let kept = options.mode == .migrate ? FileSystemTable.rootUUID(lines) : nil
    let identity = try DiskIdentity(scanned.tree, options, keeping: kept)
    let time = options.sourceDateEpoch ?? Self.newest(scanned.tree)
    var guest = Guest(
      tree: scanned.tree, mode: options.mode, rootUUID: "\(identity.fileSystem)",
      hostName: options.hostName, holdsMounts: options.crossesMounts,
      time: FileTime(seconds: time))
    for fix in allFixUps { try fix(&guest) }
    let boot = findKernel(guest, identity)
    report.fixUps = guest.fixUps
    report.warnings += guest.warnings
    report.counts = Self.counts(guest.tree)
    endPhase("fix up")

    try cancellation.check()
    progress(ActProgress(phase: "finishing"))
    let summary = try disk.finish(guest.tree, identity, creationTime: time)
    describe(summary, identity)
    endPhase("finish")
    try commit(file)
    endPhase("synchronise")
    return Conversion(report: report, bootFiles: boot)
  }

  /// Digests the image while it goes to stable storage, then gives it its name.
  private func commit(_ file: PendingFile) throws {
    let descriptor = file.descriptor
    // The commit synchronises again and reports what goes wrong; this only starts it early.
    let flush = try WorkerThread { try? descriptor.synchronize() }
    defer { flush.join() }
    report.image.digest = try Digest.ofFile(descriptor)
    try cancellation.check()
    try file.commit()
  }

  private func describe(
    _ summary: (fileSystem: Ext4Summary, image: DiskWriter.Summary), _ identity: DiskIdentity
  ) {
    report.image.format = options.format.rawValue
    report.image.virtualSize = summary.image.virtualSize
    report.image.fileSize = summary.image.fileSize
    report.image.rootUUID = "\(identity.fileSystem)"
    report.image.partitionUUID = "\(identity.partition)"
    report.image.diskGUID = "\(identity.disk)"
    report.image.freeSize = summary.fileSystem.freeSize
    if summary.fileSystem.clampedTimes > 0 {
      report.warnings.append(
        "\(summary.fileSystem.clampedTimes) time stamps lie outside 1901 to 2446 and were moved "
          + "to the nearest that ext4 holds")
    }
  }

  private func endPhase(_ name: String) {
    let now = host.uptime()
    report.phases.append(ConversionReport.Phase(name: name, nanoseconds: now - phaseStart))
    phaseStart = now
  }
}

// MARK: - Sources

extension ConversionRun {
  private func read(_ source: ConversionSource, to writer: Ext4Writer) throws -> ScannedTree {
    let epoch = options.sourceDateEpoch
    switch source {
    case .directory(let path):
      report.source = path
      return try readDirectory(path, to: writer)
    case .archive(let path):
      report.source = path
      let input = try Self.open(archive: path)
      // Only a file tells its size.
      let size = try? input.size()
      let tree = try unpack(input, total: path == "-" ? nil : size, epoch, to: writer)
      endPhase("unpack")
      return tree
    case .bootstrap(let distribution):
      report.source = "mmdebstrap \(distribution.distribution) \(distribution.suite)"
      let clamp = epoch ?? Bootstrap.defaultEpoch
      progress(ActProgress(phase: "bootstrapping"))
      let bootstrap = try Bootstrap(
        distribution, environment: options.environment, epoch: clamp, bootID: host.bootID)
      do {
        let tree = try cancellation.whileWaiting({ bootstrap.interrupt() }) {
          let tree = try unpack(bootstrap.output, total: nil, clamp, to: writer)
          try bootstrap.finish()
          return tree
        }
        endPhase("bootstrap")
        return tree
      } catch {
        try cancellation.check()
        throw bootstrap.explain(error) { usleep(UInt32($0 / .microseconds(1))) }
      }
    }
  }

  private func readDirectory(_ path: String, to writer: Ext4Writer) throws -> ScannedTree {
    let progress = progress
    let readers = options.readers ?? host.processors
    let scanner = try DirectoryScanner(
      path, excludes: ExcludePatterns(options.exclude), crossesMounts: options.crossesMounts,
      cancellation: cancellation, progress: { _ in })
    progress(ActProgress(phase: "scanning"))
    let scanned = try scanner.scan(threads: readers, policy: policy(options.sourceDateEpoch))
    endPhase("scan")
    try afterScan()
    let total = scanned.contentBytes
    let streaming = try ContentStreaming(
      scanned, to: writer, readers: readers, heldLimit: options.heldBytesLimit,
      cancellation: cancellation, progress: stepped(total: total))
    let tree = try streaming.run()
    endPhase("pack")
    return tree
  }

  private func unpack(
    _ input: Descriptor, total: Int?, _ epoch: Int64?, to writer: Ext4Writer
  ) throws -> ScannedTree {
    try ArchiveUnpacking(
      input, to: writer, policy: policy(epoch), excludes: ExcludePatterns(options.exclude),
      heldLimit: options.heldBytesLimit, cancellation: cancellation,
      progress: stepped(total: total)
    ).run()
  }

  private func policy(_ epoch: Int64?) -> AttributePolicy {
    AttributePolicy(keepsBirth: options.mode == .migrate, latest: epoch)
  }

  /// Reports progress once in a few MiB.
  private func stepped(total: Int?) -> (Int) -> Void {
    var reported = 0
    return { [progress] done in
      guard done - reported >= 8 << 20 else { return }
      reported = done
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
      ? "PARTUUID=\(identity.partition)" : "UUID=\(identity.fileSystem)"
    var arguments = "root=\(root) ro console=tty0 console=ttyS0,115200"
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
        counts.contentBytes += Int(clamping: content.size)
      case .symbolicLink: counts.symbolicLinks += 1
      case .characterDevice, .blockDevice: counts.devices += 1
      case .fifo, .socket: counts.pipesAndSockets += 1
      }
    }
    return counts
  }
}
