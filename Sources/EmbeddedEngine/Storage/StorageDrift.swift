internal import DiskImage
internal import EngineInterface
internal import GRDB
internal import Glibc
internal import JSON
internal import Resources
internal import SystemIO

// What became of disk files, images and pools by another way than ingot.
//
// A look at a file is a few microseconds: a raw disk's status, the first 32 bytes of a qcow2 one.
// Nothing else is read, so that ten thousand volumes cost a plan next to nothing.
extension EmbeddedEngine {
  /// What was found, by the uid of the resource it belongs to.
  func findings(_ facts: StorageFacts) throws -> [String: [StorageFinding]] {
    var found: [String: [StorageFinding]] = [:]
    for (disk, actual) in try changedDisks(facts.disks) {
      found[disk.owner, default: []].append(.disk(disk, actual))
    }
    let lost = facts.images.filter { !fileExists("\(home.image($0.digest))/\($0.file)") }
    if !lost.isEmpty {
      let paths = Dictionary(
        lost.map { ($0.digest, "\(home.image($0.digest))/\($0.file)") }, uniquingKeysWith: { $1 })
      for (uid, digest) in facts.shown {
        if let path = paths[digest] { found[uid, default: []].append(.image(path)) }
      }
      for disk in facts.disks {
        guard let path = disk.image.flatMap({ paths[$0] }) else { continue }
        found[disk.owner, default: []].append(.backing(disk, path))
      }
    }
    let full = Set(facts.disks.lazy.map(\.pool))
    for (row, path) in facts.pools where !fileExists("\(path)/\(Self.poolMarker)") {
      let holds = full.contains(row.id.name)
      // The built-in one is made when it is first needed.
      if holds || !row.isBuiltIn {
        found[row.uid, default: []].append(.pool(path, holdsDisks: holds))
      }
    }
    return found
  }

  /// The disks whose files are not of the size that is stored, with what they are.
  private func changedDisks(
    _ disks: [StoredDisk]
  ) throws -> [(disk: StoredDisk, actual: DiskFileState)] {
    let part = 256
    let count = (disks.count + part - 1) / part
    let found = SharedList<(disk: StoredDisk, actual: DiskFileState)>()
    try Offload.forEach(count, atOnce: 4) { number in
      for disk in disks[number * part..<min(disks.count, (number + 1) * part)] {
        let actual = DiskFileState(of: disk)
        if actual != .unknown, actual != .size(disk.virtualSize) { found.append((disk, actual)) }
      }
    }
    return found.values.sorted { $0.disk.name < $1.disk.name }
  }
}

extension ObservedState {
  /// The same with what its files show; resources that an act is under way on are passed over.
  func with(_ findings: [String: [StorageFinding]]) -> ObservedState {
    guard !findings.isEmpty else { return self }
    var state = self
    for index in state.resources.indices {
      guard state.resources[index].phase == .ready,
        let found = findings[state.resources[index].uid]
      else { continue }
      for finding in found { finding.note(in: &state.resources[index]) }
    }
    return state
  }
}

/// What a look at a disk's file gave.
enum DiskFileState: Sendable, Equatable {
  /// A disk of that many bytes.
  case size(Int)
  /// Nothing is there.
  case missing
  /// What is there is no disk of its format.
  case foreign
  /// It can't be told.
  case unknown

  init(of disk: StoredDisk) {
    var status = stat()
    guard disk.format != .raw else {
      if stat(disk.path, &status) == 0 {
        self = .size(Int(status.st_size))
      } else {
        self = errno == ENOENT || errno == ENOTDIR ? .missing : .unknown
      }
      return
    }
    let file: Descriptor
    do {
      file = try Descriptor.open(disk.path, [.read, .nonBlocking])
    } catch {
      self = error.isNotFound || error.errno == ENOTDIR ? .missing : .unknown
      return
    }
    self = withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { header in
      guard let count = try? file.read(into: header, at: 0) else { return .unknown }
      // QEMU's docs/interop/qcow2.txt: the magic, and the size at 24, both big-endian.
      guard count == 32, header[0] == 0x51, header[1] == 0x46, header[2] == 0x49, header[3] == 0xfb
      else { return .foreign }
      let size = header[24..<32].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      return .size(Int(clamping: size))
    }
  }
}

/// The rows that files are compared with.
struct StorageFacts: Sendable {
  /// Disks whose files have been made.
  var disks: [StoredDisk]
  /// Sealed images with the names of their disks.
  var images: [(digest: String, file: String)]
  /// The digests that image resources show, by the resources' uids.
  var shown: [(uid: String, digest: String)]
  var pools: [(row: StoredResource, path: String)]

  init(_ db: Database, in engine: EmbeddedEngine) throws {
    disks = try StoredDisk.made(db)
    images = try StoredImage.allDigests(db).compactMap { digest in
      try StoredImage.find(db, digest).map { (digest, $0.built.disk) }
    }
    shown = try StoredResource.all(db, kind: .image).compactMap { row in
      row.details["digest"]?.string.map { (row.uid, $0) }
    }
    pools = try StoredResource.all(db, kind: .storagePool).map {
      ($0, try engine.poolPath(of: $0.resource))
    }
  }
}

/// Something that was found of one resource.
enum StorageFinding {
  case disk(StoredDisk, DiskFileState)
  case image(String)
  case backing(StoredDisk, String)
  case pool(String, holdsDisks: Bool)

  func note(in resource: inout ObservedResource) {
    switch self {
    case .disk(let disk, .size(let size)):
      resource.drift.append(sizeDrift(disk, size))
    case .disk(let disk, let state):
      let isGone = state == .missing
      fail(
        &resource, field(of: disk, "file"), disk.path, isGone ? nil : "no \(disk.format) image",
        "its data file \(disk.path) is \(isGone ? "missing" : "no \(disk.format) image")",
        EmbeddedEngine.missingDataHelp)
    case .image(let path):
      // An image is built again; nothing is lost with it.
      resource.phase = .failed
      resource.reason = "its disk \(path) is missing"
    case .backing(let disk, let path):
      fail(
        &resource, field(of: disk, "backing"), path, nil,
        "the image \(path), which disk \(disk.name) is a clone of, is missing",
        "apply the image again, which builds it anew; or put the file back")
    case .pool(let path, holdsDisks: true):
      fail(
        &resource, "directory", path, nil, "its directory \(path) is gone, or another is there",
        "put it back or mount it: it holds disks")
    case .pool(let path, holdsDisks: false):
      resource.drift.append(
        Drift(
          path: "directory", applied: .string(path), actual: nil, effect: .none,
          note: "made anew, as it held nothing"))
    }
  }

  private func field(of disk: StoredDisk, _ word: String) -> String {
    disk.name.isEmpty ? word : "disks[\(disk.name)].\(word)"
  }

  private func sizeDrift(_ disk: StoredDisk, _ size: Int) -> Drift {
    let text = Quantity.text(bytes: Int64(size))
    let isSmaller = size < disk.virtualSize
    return Drift(
      path: field(of: disk, "size"), applied: .integer(Int64(disk.virtualSize)),
      actual: .integer(Int64(size)), effect: isSmaller ? .live : .refused,
      note: isSmaller
        ? "made larger again; what lay beyond is lost"
        : "a disk can't shrink: set \(field(of: disk, "size")) to \(text) to keep it so")
  }

  private func fail(
    _ resource: inout ObservedResource, _ field: String, _ applied: String, _ actual: String?,
    _ reason: String, _ way: String
  ) {
    resource.phase = .failed
    resource.reason = reason
    resource.drift.append(
      Drift(
        path: field, applied: .string(applied), actual: actual.map(JSONValue.string),
        effect: .refused, note: way))
  }
}
