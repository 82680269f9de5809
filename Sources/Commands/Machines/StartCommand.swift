internal import ArgumentParser
internal import EngineInterface

struct StartCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "start", abstract: "Start machines; those that run are left alone.")

  @OptionGroup var global: GlobalOptions
  @OptionGroup var arguments: MachineArguments

  func run() async throws {
    try await control(arguments, global, word: "start", .start)
  }
}
