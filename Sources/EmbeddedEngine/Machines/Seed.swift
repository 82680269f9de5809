internal import Archive
internal import EngineInterface
internal import JSON
internal import Resources
internal import SystemIO

/// cloud-init's NoCloud seed: a small disc with the identity and the user's data.
struct Seed {
  var instanceID: String
  var hostName: String
  var userData: JSONValue?
  var networkData: JSONValue?

  /// The files on the disc; JSON is YAML, so that no YAML writer is needed.
  var files: [DiscFile] {
    let metaData: JSONValue = [
      "instance-id": .string(instanceID), "local-hostname": .string(hostName),
    ]
    var files = [
      DiscFile(name: "meta-data", content: Array((metaData.text(pretty: true) + "\n").utf8)),
      DiscFile(name: "user-data", content: Array(Self.userData(userData).utf8)),
    ]
    if let networkData, !networkData.isNull {
      files.append(DiscFile(name: "network-config", content: Array(Self.text(networkData).utf8)))
    }
    return files
  }

  private static func userData(_ value: JSONValue?) -> String {
    switch value {
    case .string(let text): text
    case .none, .null: "#cloud-config\n{}\n"
    case .some(let value): "#cloud-config\n" + value.text(pretty: true) + "\n"
    }
  }

  private static func text(_ value: JSONValue) -> String {
    value.string ?? value.text(pretty: true) + "\n"
  }
}

extension EmbeddedEngine {
  func seedPath(_ uid: String) -> String { home.machine(uid) + "/seed.iso" }

  /// Writes a machine's seed where it has cloud-init data; a running guest keeps reading the disc
  /// it was started with, since the file is replaced and not changed.
  func writeSeed(_ change: Change, _ spec: MachineSpecification) throws {
    let path = seedPath(change.uid)
    guard spec.userData != nil || spec.networkData != nil else { return try removeFile(path) }
    let row = try store.read { db in try StoredMachine.require(db, change.uid) }
    let seed = Seed(
      instanceID: row.instance == 1 ? change.uid : "\(change.uid)-\(row.instance)",
      hostName: change.id.name,
      userData: spec.userData.map { MachineSecrets.resolved($0, by: change.secrets) },
      networkData: spec.networkData.map { MachineSecrets.resolved($0, by: change.secrets) })
    let file = try PendingFile(replacing: path)
    do {
      try writeDisc(seed.files, volumeID: "CIDATA", to: file.descriptor)
    } catch {
      throw EngineError("failed", "the seed disc can't be written: \(error)")
    }
    try file.commit()
  }
}
