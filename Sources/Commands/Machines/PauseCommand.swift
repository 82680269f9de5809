internal import ArgumentParser
internal import EngineInterface

struct PauseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause", abstract: "Stop guests in their tracks; their memory is kept.")

  @OptionGroup var global: GlobalOptions
  @OptionGroup var arguments: MachineArguments

  func run() async throws {
    try await control(arguments, global, word: "pause", .pause)
  }
}
