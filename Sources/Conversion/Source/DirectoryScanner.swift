internal import FileTree
internal import SystemIO

/// Reads the names and attributes of all that is below a directory, with several threads.
///
/// Everything is looked up relative to open directories and no symbolic link is followed, so
/// that a tree that changes meanwhile can't lead outside. Contents are not read.
final class DirectoryScanner: Sendable {
  /// A name as a thread found it.
  struct Entry: Sendable {
    var name: [UInt8]
    var status: FileStatus
    var linkTarget: [UInt8] = []
    var extended: [(name: [UInt8], value: [UInt8])] = []
    /// Of a directory that is read: its number in `State.directories`.
    var directory: Int?
  }

  struct Job {
    var number: Int
    var parent: Descriptor?
    var name: [UInt8]
    var path: [[UInt8]]
    var device: UInt64
  }

  struct State: Sendable {
    var directories: [[Entry]] = []
    /// The inode flags of each directory.
    var flags: [UInt32] = []
    var jobs: [Job] = []
    var running = 0
    var dropped: [ConversionReport.Item] = []
    var changed: [ConversionReport.Item] = []
    var excluded: [ConversionReport.Item] = []
    var stop: (any Error)?
  }

  let root: Descriptor
  let rootStatus: FileStatus
  private let patterns: PathPatterns
  private let mounts: MountPolicy
  /// Where partitions of their own are mounted.
  let mapped: [[[UInt8]]]
  private let cancellation: Cancellation
  let state = Shared(State())

  init(_ path: String, _ options: ConversionOptions, cancellation: Cancellation) throws {
    do {
      root = try Descriptor.open(path, [.read, .directory])
    } catch {
      throw ConversionError(
        "\(error)", help: "give a directory that holds a machine's root, or a tar of one")
    }
    rootStatus = try root.status()
    patterns = PathPatterns(excluded: options.exclude, included: options.include)
    mounts = options.mounts
    mapped = options.partitions.filter { $0.target != PartitionLayout.swap }
      .map { pathParts(Array($0.target.utf8)) }
    self.cancellation = cancellation
  }

  /// Scans everything.
  func scan(threads: Int, policy: AttributePolicy) throws -> ScannedTree {
    state.withLock {
      $0.directories.append([])
      $0.flags.append(0)
      $0.jobs.append(Job(number: 0, parent: nil, name: [], path: [], device: rootStatus.device))
    }
    var workers: [WorkerThread] = []
    defer { workers.forEach { $0.join() } }
    for _ in 1..<max(1, threads) { workers.append(try WorkerThread { self.work() }) }
    work()
    workers.forEach { $0.join() }
    workers = []
    return try assemble(policy)
  }

  /// Takes directories, the deepest first, until none is left.
  private func work() {
    while true {
      let job: Job?? = state.wait { state in
        if state.stop != nil { return .some(nil) }
        if let job = state.jobs.popLast() {
          state.running += 1
          return .some(job)
        }
        return state.running == 0 ? .some(nil) : nil
      }
      guard let job = job ?? nil else { return }
      read(job)
      state.withLock { $0.running -= 1 }
    }
  }

  private func read(_ job: Job) {
    if cancellation.isCancelled { return state.withLock { $0.stop = ConversionCancelled() } }
    do throws(SystemError) {
      let directory = try job.parent?.open(job.name, [.read, .directory]) ?? root
      // statx(2) tells but a few of the flags.
      let flags = directory.inodeFlags() ?? 0
      state.withLock(wake: false) { $0.flags[job.number] = flags }
      let names = try directory.entryNames()
      if job.path.count == 1, volatileDirectories.contains(job.path[0]) {
        if !names.isEmpty { exclude(job.path, "its content belongs to the running system") }
        return
      }
      var entries: [Entry] = []
      entries.reserveCapacity(names.count)
      for name in names {
        if let entry = examine(name, in: directory, job) { entries.append(entry) }
      }
      let found = entries.sorted { $0.name.lexicographicallyPrecedes($1.name) }
      state.withLock { Self.store(&$0, found, job, directory) }
    } catch {
      drop(job.path, "its content could not be read: \(error.reason)")
    }
  }

  /// Stores a directory's entries and queues the directories among them.
  private static func store(
    _ state: inout State, _ found: [Entry], _ job: Job, _ directory: Descriptor
  ) {
    var entries = found
    for index in entries.indices where entries[index].directory != nil {
      let number = state.directories.count
      state.directories.append([])
      state.flags.append(0)
      entries[index].directory = number
      let name = entries[index].name
      state.jobs.append(
        Job(
          number: number, parent: directory, name: name, path: job.path + [name],
          device: entries[index].status.device))
    }
    state.directories[job.number] = entries
  }

  private func examine(_ name: [UInt8], in directory: Descriptor, _ above: Job) -> Entry? {
    let path = above.path + [name]
    do throws(SystemError) {
      var entry = Entry(name: name, status: try directory.status(of: name))
      if patterns.excludes(path, isDirectory: entry.status.isDirectory) {
        exclude(path, "it matches an exclude pattern")
        return nil
      }
      if entry.status.isRegular, entry.status.size == 0 {
        // Others tell when they are read. What can't be opened keeps what statx(2) told.
        let file = try? directory.open(name, [.read, .nonBlocking])
        entry.status.flags |= file?.inodeFlags() ?? 0
      }
      if entry.status.isSymbolicLink { entry.linkTarget = try directory.linkTarget(of: name) }
      do throws(SystemError) {
        entry.extended = try directory.extendedAttributes(of: name)
        if let reason = AttributePolicy.filter(&entry.extended) { alter(path, reason) }
      } catch  where !error.isNotFound {
        alter(path, "its extended attributes could not be read: \(error.reason)")
      }
      if entry.status.isDirectory, enters(path, entry.status, in: directory, above) {
        entry.directory = -1
      }
      return entry
    } catch {
      let reason = error.isNotFound ? "it vanished while the tree was scanned" : error.reason
      drop(path, reason)
      return nil
    }
  }

  /// Whether what is in a directory is read.
  private func enters(
    _ path: [[UInt8]], _ status: FileStatus, in directory: Descriptor, _ above: Job
  ) -> Bool {
    if path.count == 1, volatileDirectories.contains(path[0]) { return true }
    // A btrfs subvolume has a device number of its own and is no mount.
    let isMount = status.knowsMountRoot ? status.isMountRoot : status.device != above.device
    if !isMount || mapped.contains(path) { return true }
    // What can't be opened is not known to be the kernel's, and reading it will say why.
    let opened = try? directory.open(path[path.count - 1], [.read, .directory])
    if let opened, isKernelMade(opened) {
      exclude(path, "its content belongs to the running system")
      return false
    }
    if mounts == .read { return true }
    if mounts == .leaveOut {
      exclude(path, "another file system is mounted there")
    } else {
      drop(
        path,
        "another file system is mounted there; --all-file-systems reads it, and with "
          + "--one-file-system it is meant to stay behind")
    }
    return false
  }

  private func drop(_ path: [[UInt8]], _ reason: String) {
    let item = Self.item(path, reason)
    state.withLock(wake: false) { $0.dropped.append(item) }
  }

  private func alter(_ path: [[UInt8]], _ reason: String) {
    let item = Self.item(path, reason)
    state.withLock(wake: false) { $0.changed.append(item) }
  }

  private func exclude(_ path: [[UInt8]], _ reason: String) {
    let item = Self.item(path, reason)
    state.withLock(wake: false) { $0.excluded.append(item) }
  }

  static func item(_ path: [[UInt8]], _ reason: String) -> ConversionReport.Item {
    ConversionReport.Item(path: shown(path.joined(separator: [0x2f])), reason: reason)
  }
}
