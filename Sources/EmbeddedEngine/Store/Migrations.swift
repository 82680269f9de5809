internal import GRDB

/// The schema, as named steps that are only ever added to.
///
/// Tables are STRICT, so that SQLite itself refuses a value of a wrong type.
func makeMigrator() -> DatabaseMigrator {
  var migrator = DatabaseMigrator()
  migrator.registerMigration("1-first") { db in
    try db.execute(sql: firstSchema)
  }
  migrator.registerMigration("2-replacing") { db in
    try db.execute(sql: replacingSchema)
  }
  migrator.registerMigration("3-apply-sets") { db in
    try db.execute(sql: applySetsSchema)
  }
  migrator.registerMigration("4-running-inputs") { db in
    try db.execute(sql: "ALTER TABLE machines ADD COLUMN running_inputs TEXT")
  }
  migrator.registerMigration("5-actors") { db in
    try db.execute(sql: actorsSchema)
  }
  migrator.registerMigration("6-running-networks") { db in
    try db.execute(sql: "ALTER TABLE machines ADD COLUMN running_networks TEXT")
  }
  return migrator
}

/// Events tell who did it, which manifest asked for it and which fields changed.
private let actorsSchema = """
  ALTER TABLE events ADD COLUMN actor TEXT;
  ALTER TABLE events ADD COLUMN source TEXT;
  ALTER TABLE events ADD COLUMN changes TEXT;
  """

private let firstSchema = """
  CREATE TABLE engine (
    single INTEGER PRIMARY KEY CHECK (single = 1),
    id TEXT NOT NULL,
    generation INTEGER NOT NULL
  ) STRICT;

  -- Everything declared, and the built-in defaults.
  CREATE TABLE resources (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    uid TEXT NOT NULL UNIQUE,
    generation INTEGER NOT NULL,
    created INTEGER NOT NULL,
    labels TEXT NOT NULL,
    annotations TEXT NOT NULL,
    spec TEXT NOT NULL,
    explicit TEXT NOT NULL,
    source TEXT,
    phase TEXT NOT NULL,
    reason TEXT,
    inputs TEXT,
    builtin INTEGER NOT NULL,
    details TEXT NOT NULL,
    PRIMARY KEY (kind, name)
  ) STRICT, WITHOUT ROWID;

  -- Which resource refers to which; what is referred to can't be deleted.
  CREATE TABLE uses (
    owner TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (owner, kind, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX uses_by_target ON uses (kind, name);

  -- Names given out once: MACs and host ports.
  CREATE TABLE allocations (
    sort TEXT NOT NULL,
    value TEXT NOT NULL,
    owner TEXT NOT NULL,
    slot TEXT NOT NULL,
    PRIMARY KEY (sort, value),
    UNIQUE (owner, sort, slot)
  ) STRICT, WITHOUT ROWID;

  -- Built images by digest; several image resources may share one.
  CREATE TABLE images (
    digest TEXT NOT NULL PRIMARY KEY,
    created INTEGER NOT NULL,
    virtual_size INTEGER NOT NULL,
    description TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- Disk files: volumes (owner = uid) and the machines' own disks.
  CREATE TABLE disks (
    uid TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    pool TEXT NOT NULL,
    path TEXT NOT NULL UNIQUE,
    format TEXT NOT NULL,
    virtual_size INTEGER NOT NULL,
    image TEXT REFERENCES images (digest),
    UNIQUE (owner, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX disks_by_image ON disks (image);

  -- What is known of the machines' processes.
  CREATE TABLE machines (
    uid TEXT NOT NULL PRIMARY KEY,
    is_down INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    since INTEGER,
    running_spec TEXT,
    instance INTEGER NOT NULL,
    journal_sequence INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- Acts begun and not ended.
  CREATE TABLE journal (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    session TEXT NOT NULL,
    process INTEGER NOT NULL,
    verb TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    uid TEXT NOT NULL,
    started INTEGER NOT NULL,
    step TEXT,
    data TEXT NOT NULL,
    UNIQUE (kind, name)
  ) STRICT;

  CREATE TABLE events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    time INTEGER NOT NULL,
    kind TEXT,
    name TEXT,
    reason TEXT NOT NULL,
    message TEXT NOT NULL
  ) STRICT;

  -- Facts found out once, such as which accelerator works on this boot of the host.
  CREATE TABLE facts (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  """

private let replacingSchema = """
  -- Whether the file has been made: one that is missing then is lost, not still to be made.
  ALTER TABLE disks ADD COLUMN made INTEGER NOT NULL DEFAULT 1;
  UPDATE disks SET made = 0 WHERE owner IN (SELECT uid FROM resources WHERE phase = 'incomplete');

  -- How far the making anew of a machine is; see StoredMachine.Replacing.
  ALTER TABLE machines ADD COLUMN replacing TEXT NOT NULL DEFAULT 'no';
  """

private let applySetsSchema = """
  -- The apply set a resource belongs to; NULL for what is built in or retained.
  ALTER TABLE resources ADD COLUMN apply_set TEXT;
  UPDATE resources SET apply_set = 'default' WHERE builtin = 0;
  """
