internal import ArgumentParser
internal import EngineInterface
internal import Glibc
internal import SystemIO

struct ExecCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exec", abstract: "Run a command in a guest, through its agent.",
    discussion: """
      Such as: ingot exec web1 -- uname -a. No network and no login are needed; there is no \
      terminal. With --stdin, the command gets what is read here first, up to 512 KiB. The exit \
      code is the command's.
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: ArgumentHelp("The machine.", valueName: "vm"))
  var machine: String
  @Option(help: "How long the command may take.")
  var timeout = DurationArgument(seconds: 60)
  @Flag(name: [.customShort("i"), .long], help: "Hand standard input to the command.")
  var stdin = false
  @Argument(parsing: .postTerminator, help: "The command and its arguments, behind --.")
  var command: [String] = []

  func validate() throws {
    if command.isEmpty { throw ValidationError("say what to run, behind --") }
  }

  func run() async throws {
    let name = try Addresses.machines([machine])[0]
    let session = try EngineSession.open(global)
    // The engine names its limit; what is read here is only kept from filling the memory.
    let input = stdin ? try await blocking { try standardInput().readAll(limit: 1 << 26) } : []
    let result = try await session.engine.execute(
      name, command, input: input, timeout: timeout.seconds)
    TextStream.output.write(result.output)
    TextStream.errors.write(result.errors)
    if result.exitCode != 0 { throw ExitCode(result.exitCode) }
  }
}
