internal import Diagnostics
internal import EngineInterface
internal import GRDB
internal import JSON
internal import Resources
internal import Synchronization

/// A row of `resources`.
struct StoredResource: Sendable {
  var resource: Resource
  var uid: String
  var generation: Int64 = 1
  var created: Int64
  var phase: ObservedResource.Phase
  var reason: String?
  var inputs: String?
  var isBuiltIn = false
  var details: JSONValue = [:]

  var id: ResourceID { resource.id }

  init(
    _ resource: Resource, uid: String, created: Int64, phase: ObservedResource.Phase,
    reason: String? = nil, isBuiltIn: Bool = false
  ) {
    self.resource = resource
    self.uid = uid
    self.created = created
    self.phase = phase
    self.reason = reason
    self.isBuiltIn = isBuiltIn
  }

  static let columns = """
    kind, name, uid, generation, created, labels, annotations, spec, explicit, source, phase, \
    reason, inputs, builtin, details, apply_set
    """

  init(_ row: Row) throws { try self.init(Texts(row)) }

  /// A row's columns, not yet taken apart.
  private struct Texts: Sendable {
    var kind: Kind
    var name: String
    var uid: String
    var generation: Int64
    var created: Int64
    var labels: String
    var annotations: String
    var spec: String
    var explicit: String
    var source: String?
    var phase: ObservedResource.Phase
    var reason: String?
    var inputs: String?
    var isBuiltIn: Bool
    var details: String
    var set: String?

    init(_ row: Row) throws {
      let row = StrictRow(row, of: "resources")
      kind = try row.choice(0)
      name = try row.text(1)
      uid = try row.text(2)
      generation = try row.integer(3)
      created = try row.integer(4)
      labels = try row.text(5)
      annotations = try row.text(6)
      spec = try row.text(7)
      explicit = try row.text(8)
      source = try row.optionalText(9)
      phase = try row.choice(10)
      reason = try row.optionalText(11)
      inputs = try row.optionalText(12)
      isBuiltIn = try row.bool(13)
      details = try row.text(14)
      set = try row.optionalText(15)
    }
  }

  private init(_ texts: Texts) throws {
    let id = ResourceID(texts.kind, texts.name)
    func json(_ text: String, _ what: String) throws -> JSONValue {
      if text == "{}" { return .object(JSONObject()) }
      if text == "[]" { return .array([]) }
      do {
        return try JSONValue(parsing: text)
      } catch {
        throw corruptRow("resources", "the \(what) of \(id): \(error)")
      }
    }
    let spec = try json(texts.spec, "specification")
    guard spec.object != nil, !texts.uid.isEmpty, !id.name.isEmpty else {
      throw corruptRow("resources", "\(id) has no specification")
    }
    uid = texts.uid
    generation = texts.generation
    created = texts.created
    resource = Resource(
      id, spec: spec, labels: try Self.labels(json(texts.labels, "labels")),
      annotations: try Self.labels(json(texts.annotations, "annotations")),
      written: WrittenFields(try Self.texts(json(texts.explicit, "explicit fields"))),
      set: texts.set, source: try texts.source.map { try SourceSpan(stored: json($0, "source")) })
    phase = texts.phase
    reason = texts.reason
    inputs = texts.inputs
    isBuiltIn = texts.isBuiltIn
    details = try json(texts.details, "details")
  }

  func insert(_ db: Database) throws {
    try db.run(
      sql: "INSERT INTO resources (\(Self.columns)) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
      arguments: arguments)
    try writeUses(db)
  }

  func update(_ db: Database) throws {
    try db.run(
      sql: "REPLACE INTO resources (\(Self.columns)) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
      arguments: arguments)
    try writeUses(db)
  }

  func delete(_ db: Database) throws {
    try db.run(sql: "DELETE FROM resources WHERE uid = ?", arguments: [uid])
    try db.run(sql: "DELETE FROM uses WHERE owner = ?", arguments: [uid])
  }

  private func writeUses(_ db: Database) throws {
    try db.run(sql: "DELETE FROM uses WHERE owner = ?", arguments: [uid])
    for target in try references(of: resource) {
      try db.run(
        sql: "INSERT INTO uses VALUES (?, ?, ?)",
        arguments: [uid, target.kind.rawValue, target.name])
    }
  }

  private var arguments: StatementArguments {
    func object(_ labels: [Resource.Label]) -> String {
      JSONValue.object(
        JSONObject(members: labels.map { .init(name: $0.name, value: .string($0.value)) })
      ).text()
    }
    return [
      id.kind.rawValue, id.name, uid, generation, created, object(resource.labels),
      object(resource.annotations), resource.spec.text(),
      JSONValue.array(resource.written.paths.sorted().map(JSONValue.string)).text(),
      resource.source?.stored.text(),
      phase.rawValue, reason, inputs, isBuiltIn ? 1 : 0, details.text(),
      resource.set,
    ]
  }
}

extension StoredResource {
  /// All rows; many are taken apart on several threads.
  static func all(_ db: Database) throws -> [StoredResource] {
    var texts: [Texts] = []
    let rows = try Row.fetchCursor(db, sql: "SELECT \(columns) FROM resources")
    while let row = try rows.next() { texts.append(try Texts(row)) }
    let part = 512
    if texts.count <= part { return try texts.map { try StoredResource($0) } }
    let count = (texts.count + part - 1) / part
    let found = Mutex<[[StoredResource]]>(Array(repeating: [], count: count))
    let all = texts
    try Offload.forEach(count, atOnce: 4) { index in
      let range = index * part..<min(all.count, (index + 1) * part)
      let resources = try all[range].map { try StoredResource($0) }
      found.withLock { $0[index] = resources }
    }
    return found.withLock { $0 }.flatMap { $0 }
  }

  static func all(_ db: Database, kind: Kind) throws -> [StoredResource] {
    try db.rows(
      sql: "SELECT \(columns) FROM resources WHERE kind = ? ORDER BY name",
      arguments: [kind.rawValue]
    ).map(StoredResource.init)
  }

  static func find(_ db: Database, _ id: ResourceID) throws -> StoredResource? {
    try db.row(
      sql: "SELECT \(columns) FROM resources WHERE kind = ? AND name = ?",
      arguments: [id.kind.rawValue, id.name]
    ).map(StoredResource.init)
  }

  static func address(_ db: Database, uid: String) throws -> ResourceID? {
    try db.row(
      sql: "SELECT kind, name FROM resources WHERE uid = ?", arguments: [uid]
    ).map { row in
      let row = StrictRow(row, of: "resources")
      return ResourceID(try row.choice(0), try row.text(1))
    }
  }

  /// What a resource is to be: by an act under way, else by what was applied last; nil where there
  /// is none.
  static func declaredSpec(_ db: Database, uid: String) throws -> JSONValue? {
    guard let id = try address(db, uid: uid) else { return nil }
    return try Intent.pendingSpec(db, id) ?? require(db, id).resource.spec
  }

  static func require(_ db: Database, _ id: ResourceID) throws -> StoredResource {
    if let found = try find(db, id) { return found }
    throw EngineError(
      "not-found", "there is no \(id)", help: "`ingot get \(id.kind.shortName)` lists what is there"
    )
  }

  /// The addresses of resources that refer to this one.
  func users(_ db: Database) throws -> [ResourceID] {
    try db.rows(
      sql: """
        SELECT r.kind, r.name FROM uses u JOIN resources r ON r.uid = u.owner
        WHERE u.kind = ? AND u.name = ? ORDER BY r.kind, r.name
        """, arguments: [id.kind.rawValue, id.name]
    ).map { row in
      let row = StrictRow(row, of: "uses")
      return ResourceID(try row.choice(0), try row.text(1))
    }
  }

  private static func labels(_ value: JSONValue) throws -> [Resource.Label] {
    guard let members = value.object?.members else {
      throw corruptRow("resources", "the labels are no object")
    }
    if members.isEmpty { return [] }
    return try members.map { member in
      guard let text = member.value.string else {
        throw corruptRow("resources", "the label '\(member.name)' is no text")
      }
      return Resource.Label(name: member.name, value: text)
    }
  }

  private static func texts(_ value: JSONValue) throws -> [String] {
    guard let items = value.array else {
      throw corruptRow("resources", "the explicit fields are no list")
    }
    return try items.map { item in
      guard let text = item.string else {
        throw corruptRow("resources", "an explicit field is no text")
      }
      return text
    }
  }
}
