internal import EmbeddedEngine

/// What of a host matters to networks of mode nat, isolated and bridge.
struct NetworkFacts: Sendable {
  /// What can be done with something.
  enum Access: Hashable, Sendable {
    /// All that is needed.
    case granted
    /// It is not there.
    case missing
    /// Rights are missing.
    case denied
  }

  /// Whether the command runs as root, which makes namespaces without those of users.
  var isRoot = false
  /// Settings of the kernel by their name in sysctl(8); those that a kernel lacks are left out.
  var settings: [String: String] = [:]
  /// Why no namespace of users and networks can be made; nil where one can.
  var namespaceProblem: String?
  /// The device that taps are opened by.
  var tunDevice = Access.granted
  /// The programs that are missing, each with its Debian package.
  var missingPrograms: [(name: String, package: String)] = []
  /// Why rules for packets can't be set in a namespace; nil where they can or that can't be tried.
  var filterProblem: String?
  /// The host's own chains that drop what no rule accepts on its way through, as `ip filter FORWARD`.
  var droppingChains: [String] = []
  /// The networks that the host's own routes and addresses are in.
  var hostNetworks: [UsedNetwork] = []
}
