/// Values of variables that are given from outside the manifests.
///
/// An option goes before a file, a file before the environment, and that before the default.
public struct VariableValues: Sendable {
  /// A value by name.
  public struct Assignment: Sendable, Hashable {
    /// The variable's name.
    public var name: String
    /// The value as text.
    public var value: String

    /// Gives a variable a value.
    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// What stands before the name of a variable in the environment.
  public static let environmentPrefix = "INGOT_VAR_"

  /// Those of `--var`, in order; of one name the last counts.
  public var options: [Assignment]
  /// Files that hold a mapping of values by name; of one name the last counts.
  public var files: [ManifestSource]
  /// Those of the environment, by the names behind `INGOT_VAR_`.
  public var environment: [Assignment]

  /// Gathers values; none by default.
  public init(
    options: [Assignment] = [], files: [ManifestSource] = [], environment: [Assignment] = []
  ) {
    self.options = options
    self.files = files
    self.environment = environment
  }
}
