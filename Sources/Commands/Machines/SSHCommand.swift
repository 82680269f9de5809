internal import ArgumentParser
internal import EngineInterface
internal import Glibc
internal import Resources
internal import SystemIO

struct SSHCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ssh", abstract: "Log in to a guest over its forwarded port 22.",
    discussion: """
      Such as: ingot ssh web1, ingot ssh root@web1 -- uptime. Host keys are accepted once and kept \
      apart from your own known_hosts. The exit code is ssh's.
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: ArgumentHelp("The machine, with the user in front: user@vm.", valueName: "vm"))
  var machine: String
  @Option(name: .shortAndLong, help: "The user in the guest; ssh's own default else.")
  var login: String?
  @Argument(parsing: .postTerminator, help: "Arguments and a command for ssh, behind --.")
  var arguments: [String] = []

  func run() async throws {
    let parts = machine.split(separator: "@", maxSplits: 1).map(String.init)
    let name = try Addresses.machines([parts.last ?? machine])[0]
    let session = try EngineSession.open(global)
    let resource = try await session.resource(ResourceID(.virtualMachine, name))
    guard let ssh = session.environment.program("ssh") else {
      throw Failure("ssh is not installed", help: "apt-get install openssh-client")
    }
    let words = try SSHArguments.words(
      for: resource, user: login ?? (parts.count == 2 ? parts[0] : nil),
      knownHosts: session.home + "/known_hosts", extra: arguments)
    try replaceProcess(ssh, words)
  }

  /// Becomes another program; only returns by an error.
  private func replaceProcess(_ path: String, _ words: [String]) throws {
    var pointers = ([path] + words).map { strdup($0) }
    pointers.append(nil)
    execv(path, pointers)
    throw SystemError("run", path, errno: errno)
  }
}

/// The command line for ssh(1).
enum SSHArguments {
  /// The arguments behind the program's name.
  ///
  /// - Throws: `Failure` where no port of the host leads to the guest's port 22.
  static func words(
    for machine: ObservedResource, user: String?, knownHosts: String, extra: [String]
  ) throws -> [String] {
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
    if let state = machine.machine?.state, state == .halted || state == .crashed {
      throw Failure("\(name) does not run, it is \(state.rawValue)", help: "ingot start \(name)")
    }
    let address = forward.address == "0.0.0.0" ? "127.0.0.1" : forward.address
    var words = [
      "-p", String(port), "-o", "UserKnownHostsFile=\(knownHosts)",
      "-o", "StrictHostKeyChecking=accept-new",
      // A machine made anew has a new key; its identity, not the port, is what the key belongs to.
      "-o", "HostKeyAlias=\(name).\(machine.uid)",
    ]
    if let user { words += ["-l", user] }
    // ssh takes options behind the address too, up to the command.
    return words + [address] + extra
  }
}
