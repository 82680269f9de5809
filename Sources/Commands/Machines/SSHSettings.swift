internal import EngineInterface
internal import Resources

/// How ssh(1) gets to a guest, for its command line and for its configuration.
struct SSHSettings {
  /// The way to the guest's port 22.
  enum Way: Hashable {
    /// Over a port of the host.
    case port(address: String, port: Int)
    /// By a program that hands the connection over, with its arguments.
    case command([String])
  }

  /// The name of the machine.
  private let name: String
  /// The settings of ssh_config(5), in order.
  private let settings: [(name: String, value: String)]

  /// Settles how to get to a machine.
  init(machine: ObservedResource, user: String?, knownHosts: String, way: Way) {
    name = machine.resource.id.name
    var settings: [(name: String, value: String)] = []
    switch way {
    case .port(let address, let port):
      settings += [("HostName", address), ("Port", String(port))]
    case .command(let words):
      settings += [("ProxyUseFdpass", "yes"), ("ProxyCommand", Self.shellLine(words))]
    }
    settings += [
      ("UserKnownHostsFile", Self.quoted(knownHosts)), ("StrictHostKeyChecking", "accept-new"),
      // A machine made anew has a new key; its identity, not the port, is what the key belongs to.
      ("HostKeyAlias", "\(name).\(machine.uid)"),
    ]
    if let user { settings.append(("User", Self.quoted(user))) }
    self.settings = settings
  }

  /// The arguments behind the program's name; ssh takes options behind them too, up to a command.
  var words: [String] { settings.flatMap { ["-o", "\($0.name)=\($0.value)"] } + [name] }

  /// The lines for a file of ssh's configuration.
  var configuration: [String] {
    ["Host \(name)"] + settings.map { "  \($0.name) \($0.value)" }
  }

  /// A value that may have spaces, with the percent signs that ssh would expand doubled.
  private static func quoted(_ text: String) -> String {
    let text = text.replacing("%", with: "%%")
    return text.contains(where: \.isWhitespace) ? "\"\(text)\"" : text
  }

  /// The words as one line, which ssh has the user's shell read: each in quotes that nothing but
  /// their own end means anything in.
  private static func shellLine(_ words: [String]) -> String {
    words.map { word in
      let isPlain = word.utf8.allSatisfy { byte in
        byte.isLetterOrDigit || "-_./".utf8.contains(byte)
      }
      if isPlain, !word.isEmpty { return word }
      return "'\(word.replacing("'", with: "'\\''").replacing("%", with: "%%"))'"
    }.joined(separator: " ")
  }
}

extension SSHSettings.Way {
  /// Over the port of the host that leads to the guest's port 22.
  ///
  /// - Throws: `Failure` where none does.
  static func port(of machine: ObservedResource) throws -> SSHSettings.Way {
    let name = machine.resource.id.name
    let forward = MachinePorts.forwards(machine).first {
      $0.guest == 22 && $0.networkProtocol == "tcp"
    }
    guard let forward else {
      throw Failure(
        "no port of this host leads to port 22 of \(name)",
        help: "add `ports: [{guest: 22}]` to an interface of the machine and apply")
    }
    guard let port = forward.host else {
      throw Failure(
        "\(name) has no port of the host yet for its port 22", help: "ingot start \(name)")
    }
    return .port(
      address: forward.address == "0.0.0.0" ? "127.0.0.1" : forward.address, port: port)
  }
}

extension UInt8 {
  fileprivate var isLetterOrDigit: Bool {
    switch self {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }
}
