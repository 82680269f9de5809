internal import EngineInterface
internal import Glibc
internal import SystemIO

/// Where the engine keeps what: every path below `$INGOT_HOME` is made here.
struct HomeDirectory: Sendable {
  let path: String

  var database: String { path + "/state.db" }
  var commandLock: String { path + "/lock" }
  var sessions: String { path + "/sessions" }
  var images: String { path + "/images" }
  var machines: String { path + "/machines" }
  var networks: String { path + "/networks" }
  var pools: String { path + "/pools" }

  func session(_ id: String) -> String { "\(sessions)/\(id)" }
  func image(_ digest: String) -> String { "\(images)/\(digest)" }
  func building(_ uid: String) -> String { "\(images)/.building-\(uid)" }
  func machine(_ uid: String) -> String { "\(machines)/\(uid)" }
  func network(_ uid: String) -> String { "\(networks)/\(uid)" }
  func defaultPool(_ name: String) -> String { "\(pools)/\(name)" }

  /// Makes the directory, for its owner alone, with the ones the engine always has.
  ///
  /// - Throws: `EngineError` where the path can't serve or rights are missing.
  static func open(_ path: String) throws -> HomeDirectory {
    var trimmed = path
    while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
    guard trimmed.hasPrefix("/"), !trimmed.utf8.contains(0) else {
      throw EngineError(
        "invalid-home", "the engine's directory '\(path)' is not an absolute path",
        help: "give an absolute path in INGOT_HOME")
    }
    let home = HomeDirectory(path: trimmed)
    try makeDirectories(trimmed, permissions: 0o700)
    try home.checkOwner()
    for directory in [home.sessions, home.images, home.machines, home.networks, home.pools] {
      try makeDirectories(directory, permissions: 0o700)
    }
    return home
  }

  /// Refuses a store that was made elsewhere: it names disks by their paths, and whoever works on a
  /// copy would change, or delete, what belongs to the original.
  ///
  /// - Returns: the directory by the name that its records have, where this is another name of it.
  func asRecorded(by store: Store) throws -> HomeDirectory {
    let place = try store.fact("home") ?? store.keepFirstFact("home", path)
    if place == path { return self }
    if try isSameDirectory(place) { return HomeDirectory(path: place) }
    throw EngineError(
      "moved-home", "it was copied or moved from \(place), and its records lead to the disks there",
      help:
        "use it where it was; a moved one can stay with a symbolic link to it in the old place; "
        + "beside a copy, give an empty directory in INGOT_HOME and apply the manifests")
  }

  private func isSameDirectory(_ other: String) throws(SystemError) -> Bool {
    do {
      let one = try Descriptor.open(path, [.read, .directory]).status()
      let two = try Descriptor.open(other, [.read, .directory]).status()
      return one.device == two.device && one.inode == two.inode
    } catch  where error.isNotFound || error.isDenied {
      return false
    }
  }

  /// Refuses a home that others may write to or that belongs to somebody else: whoever can
  /// replace files there can make the engine run anything.
  private func checkOwner() throws {
    var status = stat()
    try checked("stat", path) { lstat(path, &status) }
    if status.st_mode & S_IFMT == S_IFLNK {
      try checked("stat", path) { stat(path, &status) }
    }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw EngineError(
        "invalid-home", "the engine's directory \(path) is not a directory",
        help: "give another directory in INGOT_HOME")
    }
    guard status.st_uid == geteuid() else {
      throw EngineError(
        "denied", "the engine's directory \(path) belongs to user \(status.st_uid)",
        help: "run ingot as that user, or give another directory in INGOT_HOME")
    }
    if status.st_mode & 0o077 != 0 {
      try checked("restrict", path) { chmod(path, 0o700) }
    }
  }
}
