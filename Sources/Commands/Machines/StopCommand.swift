internal import ArgumentParser
internal import EngineInterface
internal import Resources

struct StopCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop",
    abstract: "Shut machines down: by ACPI first, and killed after the grace period.")

  @OptionGroup var global: GlobalOptions
  @OptionGroup var arguments: MachineArguments
  @Option(
    help: "How long the guest may take, such as 30s; 0s kills it at once. Its own period else.")
  var grace: DurationArgument?

  func run() async throws {
    try await control(arguments, global, word: "stop", .stop(grace: grace?.seconds))
  }
}
