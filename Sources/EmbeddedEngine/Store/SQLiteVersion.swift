internal import GRDB

/// The version of SQLite that runs, such as `3.40.1`.
public func sqliteVersion() throws -> String {
  try DatabaseQueue().read { db in
    try String.fetchOne(db, sql: "SELECT sqlite_version()") ?? "unknown"
  }
}
