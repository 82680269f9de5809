internal import ArgumentParser
internal import EngineInterface
internal import Glibc
internal import Resources
internal import SystemIO

struct SSHCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ssh", abstract: "Log in to a guest.",
    discussion: """
      Such as: ingot ssh web1, ingot ssh root@web1 -- uptime. Through the guest's network where that \
      is of mode nat or isolated, with no port of this host; else over a port that leads to the \
      guest's port 22. Host keys are accepted once and kept apart from your own known_hosts. The \
      exit code is ssh's. With --config the settings are printed as ssh_config(5) has them, for \
      scp, rsync and others: ingot ssh web1 --config > web1.conf; scp -F web1.conf file web1:
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: ArgumentHelp("The machine, with the user in front: user@vm.", valueName: "vm"))
  var machine: String
  @Option(name: .shortAndLong, help: "The user in the guest; ssh's own default else.")
  var login: String?
  @Flag(help: "Print the settings for ssh instead of running it.")
  var config = false
  @Argument(parsing: .postTerminator, help: "Arguments and a command for ssh, behind --.")
  var arguments: [String] = []

  func run() async throws {
    let parts = machine.split(separator: "@", maxSplits: 1).map(String.init)
    let session = try EngineSession.open(global)
    let (resource, observed) = try await session.runningMachine(parts.last ?? machine)
    let settings = SSHSettings(
      machine: resource, user: login ?? (parts.count == 2 ? parts[0] : nil),
      knownHosts: session.home + "/known_hosts",
      way: try way(to: resource, in: observed, session))
    if config {
      for line in settings.configuration { TextStream.output.line(line) }
      return
    }
    guard let ssh = session.environment.program("ssh") else {
      throw Failure("ssh is not installed", help: "apt-get install openssh-client")
    }
    try replaceProcess(ssh, settings.words + arguments)
  }

  /// Through the network of the guest, else over a port of the host.
  private func way(
    to machine: ObservedResource, in observed: ObservedState, _ session: EngineSession
  ) throws -> SSHSettings.Way {
    guard try GuestRoute.find(to: machine, in: observed) != nil else {
      return try .port(of: machine)
    }
    return .command([
      try Programs.own(), "connect", "--home", session.home, "--pass-descriptor",
      machine.resource.id.name, "22",
    ])
  }

  /// Becomes another program; only returns by an error.
  private func replaceProcess(_ path: String, _ words: [String]) throws {
    var pointers = ([path] + words).map { strdup($0) }
    pointers.append(nil)
    execv(path, pointers)
    throw SystemError("run", path, errno: errno)
  }
}
