internal import Glibc
internal import Manifests

/// Everything that is read from the process's environment, read in one place.
struct Environment: Sendable {
  /// `INGOT_HOME`: where the engine's state lives.
  var ingotHome: String?
  /// `XDG_STATE_HOME`.
  var stateHome: String?
  /// `HOME`.
  var home: String?
  /// `NO_COLOR`: no colour, whatever its value (https://no-color.org).
  var noColor: Bool
  /// `CLICOLOR_FORCE`: colour even in a pipe.
  var forceColor: Bool
  /// `TERM`.
  var terminal: String?
  /// `SOURCE_DATE_EPOCH`: the time that reproducible outputs bear, in seconds since 1970.
  var sourceDateEpoch: Int64?
  /// The directories of `PATH`, in order.
  var path: [String]
  /// What tools that fetch from the network need to know, as `NAME=value`.
  var proxies: [String]
  /// Values of manifests' variables: those of `INGOT_VAR_NAME`, by name.
  var variables: [VariableValues.Assignment] = []
  /// Whether the command runs as root.
  var isRoot: Bool
  /// The directory that relative paths are resolved against.
  var workingDirectory: String

  /// Reads the environment of this process.
  static func current() -> Environment {
    func value(_ name: String) -> String? {
      guard let text = getenv(name).map({ String(cString: $0) }), !text.isEmpty else { return nil }
      return text
    }
    let directory = getcwd(nil, 0)
    defer { free(directory) }
    return Environment(
      ingotHome: value("INGOT_HOME"), stateHome: value("XDG_STATE_HOME"), home: value("HOME"),
      noColor: value("NO_COLOR") != nil,
      forceColor: value("CLICOLOR_FORCE").map { $0 != "0" } ?? false, terminal: value("TERM"),
      sourceDateEpoch: value("SOURCE_DATE_EPOCH").flatMap { Int64($0) },
      path: (value("PATH") ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":").map(
        String.init),
      proxies: proxyNames.compactMap { name in value(name).map { "\(name)=\($0)" } },
      variables: assignments(),
      isRoot: geteuid() == 0,
      workingDirectory: directory.map { String(cString: $0) } ?? "/")
  }

  /// The whole environment, as `NAME=value`, for programs that the user names.
  static func all() -> [String] {
    var found: [String] = []
    var entry = environ
    while let text = entry.pointee {
      found.append(String(cString: text))
      entry += 1
    }
    return found
  }

  private static func assignments() -> [VariableValues.Assignment] {
    all().compactMap { line in
      guard line.hasPrefix(VariableValues.environmentPrefix), let equals = line.firstIndex(of: "=")
      else { return nil }
      let name = line[..<equals].dropFirst(VariableValues.environmentPrefix.count)
      return .init(name: String(name), value: String(line[line.index(after: equals)...]))
    }
  }

  private static let proxyNames = ["http_proxy", "https_proxy", "ftp_proxy", "no_proxy"].flatMap {
    [$0, $0.uppercased()]
  }

  /// The environment of programs that build images; root's tools are found whoever calls.
  var forTools: [String] {
    let system = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].filter { !path.contains($0) }
    return ["PATH=" + (path + system).joined(separator: ":")]
      + (home.map { ["HOME=\($0)"] } ?? []) + proxies
  }

  /// A path made absolute against the working directory.
  func absolute(_ path: String) -> String {
    if path.hasPrefix("/") { return path }
    return workingDirectory == "/" ? "/" + path : workingDirectory + "/" + path
  }

  /// Where the engine's state lives: `--home`, `INGOT_HOME`, root's `/var/lib/ingot`, the XDG state
  /// directory.
  ///
  /// - Throws: `Failure` where nothing tells.
  func homeDirectory(option: String?) throws -> String {
    if let chosen = option ?? ingotHome { return absolute(chosen) }
    if isRoot { return "/var/lib/ingot" }
    // The XDG specification has relative paths ignored.
    if let stateHome, stateHome.hasPrefix("/") { return stateHome + "/ingot" }
    if let home { return home + "/.local/state/ingot" }
    throw Failure(
      "no directory for ingot's state: HOME, XDG_STATE_HOME and INGOT_HOME are not set",
      help: "pass --home DIRECTORY or set INGOT_HOME")
  }

  /// The first executable of that name on `PATH`.
  func program(_ name: String) -> String? {
    path.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
  }

  /// A helper executable: beside this one, in its `../libexec/ingot`, then on `PATH`.
  func companion(_ name: String) -> String? {
    var candidates: [String] = []
    let resolved = realpath("/proc/self/exe", nil)
    defer { free(resolved) }
    let own = resolved.map { String(cString: $0) } ?? ""
    if let slash = own.lastIndex(of: "/") {
      let directory = own[..<slash]
      candidates = ["\(directory)/\(name)", "\(directory)/../libexec/ingot/\(name)"]
    }
    return candidates.first { access($0, X_OK) == 0 } ?? program(name)
  }
}
