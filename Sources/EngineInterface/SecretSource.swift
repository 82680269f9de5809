public import Resources

/// Gives an engine the values of secrets, which it keeps nowhere but on the seed disc.
public protocol SecretSource: Sendable {
  /// Reads a secret's value as it is now; blocks for as long as its source takes.
  ///
  /// - Throws: `SecretError`.
  func value(of secret: MachineSpecification.Secret) throws(SecretError) -> String
}

/// Why a secret can't be had; names its source and never anything of its content.
public struct SecretError: Error, Sendable, Hashable {
  /// What was attempted on which source, and why it failed.
  public var message: String
  /// How to go on.
  public var help: String?

  /// Makes an error.
  public init(_ message: String, help: String? = nil) {
    self.message = message
    self.help = help
  }
}

/// For engines that are given no secrets.
public struct NoSecrets: SecretSource {
  /// Makes it.
  public init() {}

  /// Refuses.
  public func value(of secret: MachineSpecification.Secret) throws(SecretError) -> String {
    throw SecretError("secrets can't be read here")
  }
}
