internal import DiskImage
internal import EngineInterface
internal import GRDB
internal import Resources
internal import SystemIO

extension EngineError {
  /// The engine's error for whatever went wrong beneath it.
  ///
  /// - Parameter doing: what was attempted on what, such as `create Volume/data`; nil where the
  ///   cause says it all.
  static func wrapping(_ error: any Error, doing: String? = nil) -> EngineError {
    var result = translate(error)
    if let doing, !result.message.hasPrefix("cannot \(doing)") {
      result.message = "cannot \(doing): \(result.message)"
    }
    return result
  }

  private static func translate(_ error: any Error) -> EngineError {
    switch error {
    case let error as EngineError: error
    case let error as SystemError: of(error)
    case let error as DiskImageError: of(error)
    case let error as DatabaseError: of(error)
    case let error as SpecificationError:
      EngineError("store-corrupt", "a stored specification is damaged: \(error)", help: restore)
    case is CancellationError: EngineError("cancelled", "it was cancelled")
    default: EngineError("failed", "\(error)")
    }
  }

  static let restore =
    "restore state.db (with state.db-wal) from a backup; ingot changes nothing until then"

  private static func of(_ error: SystemError) -> EngineError {
    if error.isOutOfSpace {
      return EngineError("no-space", error.description, help: "free space on that file system")
    }
    if error.isDenied || error.reason == SystemError("", "", errno: 30).reason {
      return EngineError(
        "denied", error.description, help: "check the owner, the rights and the mount options")
    }
    return EngineError("failed", error.description)
  }

  private static func of(_ error: DiskImageError) -> EngineError {
    switch error {
    case .writeFailed(let cause, _), .readFailed(let cause):
      var result = of(cause)
      result.message = error.description
      return result
    default: return EngineError("failed", error.description)
    }
  }

  private static func of(_ error: DatabaseError) -> EngineError {
    let text = error.message ?? "SQLite error \(error.resultCode.rawValue)"
    switch error.resultCode {
    case .SQLITE_CORRUPT, .SQLITE_NOTADB:
      return EngineError("store-corrupt", "the state database is damaged: \(text)", help: restore)
    case .SQLITE_FULL:
      return EngineError(
        "no-space", "the state database can't grow: \(text)",
        help: "free space on the file system of the engine's directory")
    case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM:
      return EngineError(
        "denied", "the state database can't be written: \(text)",
        help: "check the owner, the rights and the mount options of the engine's directory")
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      return EngineError(
        "busy", "the state database is in use by another process: \(text)", help: "try again")
    case .SQLITE_IOERR:
      return EngineError(
        "failed", "the state database can't be read or written: \(text)",
        help: "make room on the file system of the engine's directory, and check its disk")
    default:
      return EngineError("store-failed", "the state database refused a statement: \(text)")
    }
  }
}

/// A stored row that isn't what the engine writes.
func corruptRow(_ table: String, _ what: String) -> EngineError {
  EngineError(
    "store-corrupt", "a row of table \(table) is damaged: \(what)", help: EngineError.restore)
}
