internal import EngineInterface
public import Resources
internal import SystemIO

extension EmbeddedEngine {
  /// A digest of what a resource's secrets are now; nil for a resource without any.
  ///
  /// Equal digests mean equal values; they are comparable within this engine alone.
  ///
  /// - Throws: `EngineError` with code `secret-unavailable`, which names the secret and its source.
  public func secretsDigest(of resource: Resource) async throws -> String? {
    try await wrapped("read the secrets of \(resource.id)") { [self] in
      try secrets(of: resource)?.digest
    }
  }

  /// Reads a machine's secrets; nil for a resource without any.
  func secrets(of resource: Resource) throws -> MachineSecrets? {
    guard resource.id.kind == .virtualMachine else { return nil }
    let declared = try MachineSpecification(resource.spec).secrets
    guard !declared.isEmpty else { return nil }
    var values: [(name: String, value: String)] = []
    for secret in declared {
      do {
        values.append((secret.name, try secretSource.value(of: secret)))
      } catch {
        throw EngineError(
          "secret-unavailable", "the secret '\(secret.name)' can't be had: \(error.message)",
          help: error.help)
      }
    }
    return MachineSecrets(values, salt: try secretSalt(), machine: resource.id.description)
  }

  /// What digests of secrets are salted with, made once for each engine.
  private func secretSalt() throws -> [UInt8] {
    let name = "secret-salt"
    let text = try store.fact(name) ?? store.keepFirstFact(name, hexadecimal(host.randomBytes(32)))
    return Array(text.utf8)
  }
}
