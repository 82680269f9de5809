internal import Archive
internal import Ext4
internal import FileTree
internal import SystemIO

/// Builds a tree from a tar archive and streams the contents into a file system as they come.
///
/// The tree lives in memory, so no name in the archive ever meets the host's file system. What
/// tries to leave the tree is refused all the same, since the archive can't be what it claims.
final class ArchiveUnpacking {
  private let reader: ArchiveReader
  let disk: GuestDisk
  private let policy: AttributePolicy
  let patterns: PathPatterns
  private let meter: Meter
  private var held: HeldFiles
  var tree = FileTree()
  var dropped: [ConversionReport.Item] = []
  private var changed: [ConversionReport.Item] = []
  var excluded: [ConversionReport.Item] = []
  /// Entries with ACLs that name users and groups, whose numbers are known at the end.
  private var named: [[[UInt8]]: ArchiveEntry] = [:]
  /// Paths left out, for hard links to them and what is below them.
  var leftOut: Set<[[UInt8]]> = []

  init(
    _ descriptor: Descriptor, to disk: GuestDisk, policy: AttributePolicy,
    _ options: ConversionOptions, meter: Meter
  ) throws {
    reader = try ArchiveReader(descriptor, limits: ArchiveLimits(options.limits))
    self.disk = disk
    self.policy = policy
    self.meter = meter
    patterns = PathPatterns(excluded: options.exclude, included: options.include)
    held = HeldFiles(limit: options.heldBytesLimit)
  }

  /// Reads the whole archive.
  func run() throws -> ScannedTree {
    do {
      return try readAll()
    } catch let error as ArchiveError {
      guard case .limit(let name) = error.kind, let option = Self.limitOptions[name] else {
        throw error
      }
      throw ConversionError(
        "cannot read \(error.archive): at byte \(error.offset): \(error.reason)",
        help: "raise the limit with \(option) if you trust where it comes from")
    }
  }

  /// What the limits are called on the command line.
  private static let limitOptions = [
    "entries": "--max-entries", "totalBytes": "--max-bytes", "ratio": "--max-ratio",
  ]

  private func readAll() throws -> ScannedTree {
    while let entry = try reader.next() {
      let path = try Self.parts(of: entry)
      if !isLeftOut(path, entry) { try unpack(entry, at: path) }
      try meter.reach(reader.bytesRead)
    }
    resolveNames()
    var scanned = ScannedTree(tree: tree, files: [])
    scanned.dropped = dropped
    scanned.changed = changed
    scanned.excluded = excluded.sorted { $0.path < $1.path }
    return scanned
  }

  private func unpack(_ entry: ArchiveEntry, at path: [[UInt8]]) throws {
    try check(entry, path)
    named[path] = entry.unresolvedACLEntries.isEmpty ? nil : entry
    let attributes = attributes(of: entry, path, reports: named[path] == nil)
    guard let name = path.last else {
      guard case .directory = entry.kind else { throw Self.refusal(entry, "it has no name") }
      tree[FileTree.root] = attributes
      return
    }
    let directory = try makeParents(path, attributes.modified, entry)
    switch entry.kind {
    case .regular:
      let content = try content(of: entry, path)
      try place(name, directory, .regular(content), attributes, entry)
    case .hardLink(let target):
      try link(name, directory, path, to: target, entry)
    case .directory: try place(name, directory, .directory, attributes, entry)
    case .symbolicLink(let target):
      try place(name, directory, .symbolicLink(target), attributes, entry)
    case .characterDevice(let major, let minor):
      let kind = FileKind.characterDevice(major: major, minor: minor)
      try place(name, directory, kind, attributes, entry)
    case .blockDevice(let major, let minor):
      try place(
        name, directory, .blockDevice(major: major, minor: minor), attributes, entry)
    case .fifo: try place(name, directory, .fifo, attributes, entry)
    case .socket: try place(name, directory, .socket, attributes, entry)
    }
  }

  private func attributes(
    of entry: ArchiveEntry, _ path: [[UInt8]], reports: Bool
  ) -> FileAttributes {
    var extended = entry.attributes.map { (name: $0.name, value: $0.value) }
    let reason = AttributePolicy.filter(&extended)
    if reports {
      if let reason { alter(path, reason) }
      for warning in entry.warnings { alter(path, warning) }
    }
    return policy.attributes(
      permissions: entry.permissions, uid: entry.uid, gid: entry.gid, modified: entry.modified,
      created: entry.created, flags: entry.inodeFlags, extended: extended)
  }

  /// Completes ACLs by the numbers that the tree's own passwd and group files give names.
  private func resolveNames() {
    if named.isEmpty { return }
    let users = numbers("etc/passwd")
    let groups = numbers("etc/group")
    for path in named.keys.sorted(by: {
      $0.lexicographicallyPrecedes($1) { a, b in
        a.lexicographicallyPrecedes(b)
      }
    }) {
      guard var entry = named[path],
        let node = tree.lookUp(path.joined(separator: [0x2f]).map { $0 })
      else { continue }
      entry.resolveACLEntries(user: { users[$0] }, group: { groups[$0] })
      tree[node] = attributes(of: entry, path, reports: true)
    }
  }

  /// Numbers by name in a file as passwd(5) and group(5) describe.
  private func numbers(_ path: String) -> [[UInt8]: UInt32] {
    var numbers: [[UInt8]: UInt32] = [:]
    for line in (tree.bytes(of: path) ?? []).split(separator: UInt8(ascii: "\n")) {
      let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
      guard fields.count > 2, let number = UInt32(String(decoding: fields[2], as: UTF8.self)) else {
        continue
      }
      numbers[Array(fields[0])] = numbers[Array(fields[0])] ?? number
    }
    return numbers
  }

  /// Refuses what ext4 can't hold while it is still known where in the archive it stands.
  private func check(_ entry: ArchiveEntry, _ path: [[UInt8]]) throws {
    if let name = path.first(where: { $0.count > Ext4Writer.longestName }) {
      throw Self.refusal(
        entry, "a name of \(name.count) bytes is longer than \(Ext4Writer.longestName)")
    }
    guard entry.size <= Ext4Writer.largestFile else {
      throw Self.refusal(entry, "its \(entry.size) bytes are more than a file can have")
    }
    switch entry.kind {
    case .symbolicLink(let target):
      guard (1...Ext4Writer.longestTarget).contains(target.count), !target.contains(0) else {
        throw Self.refusal(entry, "its target of \(target.count) bytes can't be a symbolic link's")
      }
    case .characterDevice(let major, let minor), .blockDevice(let major, let minor):
      // What the kernel's own device numbers have room for.
      guard major < 1 << 12, minor < 1 << 20 else {
        throw Self.refusal(entry, "there is no device \(major):\(minor)")
      }
    default: break
    }
  }

  private func content(of entry: ArchiveEntry, _ path: [[UInt8]]) throws -> FileContent {
    if entry.size == 0 { return .empty }
    if HeldFiles.holds(path) {
      try held.add(entry.size, shown(entry.path))
      var bytes = [UInt8](repeating: 0, count: entry.size)
      let warnings = try reader.readData { piece, offset in
        bytes.withUnsafeMutableBytes {
          UnsafeMutableRawBufferPointer(rebasing: $0[offset..<offset + piece.count])
            .copyMemory(from: piece)
        }
      }
      warnings.forEach { alter(path, $0) }
      return .bytes(bytes)
    }
    let writer = disk.writer(for: path)
    try writer.beginFile(entry.path)
    var position = 0
    let warnings = try reader.readData { piece, offset in
      try meter.reach(reader.bytesRead)
      if offset > position { try writer.appendHole(UInt64(offset - position)) }
      try writer.append(piece)
      position = offset + piece.count
    }
    warnings.forEach { alter(path, $0) }
    if position < entry.size { try writer.appendHole(UInt64(entry.size - position)) }
    return try writer.endFile()
  }

  private func alter(_ path: [[UInt8]], _ reason: String) {
    changed.append(
      ConversionReport.Item(path: shown(path.joined(separator: [0x2f])), reason: reason))
  }
}

extension ArchiveLimits {
  fileprivate init(_ limits: ConversionLimits) {
    self.init()
    entries = limits.entries ?? entries
    totalBytes = limits.bytes ?? totalBytes
    ratio = limits.ratio ?? ratio
  }
}
