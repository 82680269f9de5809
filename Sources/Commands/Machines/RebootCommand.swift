internal import ArgumentParser
internal import EngineInterface

struct RebootCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reboot", abstract: "Restart guests; what waits for the next boot takes effect.")

  @OptionGroup var global: GlobalOptions
  @OptionGroup var arguments: MachineArguments
  @Flag(help: "Reset without asking the guest.")
  var force = false

  func run() async throws {
    try await control(arguments, global, word: "reboot", .reboot(force: force))
  }
}
