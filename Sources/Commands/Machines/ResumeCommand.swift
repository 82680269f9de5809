internal import ArgumentParser
internal import EngineInterface

struct ResumeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "Let paused guests go on.")

  @OptionGroup var global: GlobalOptions
  @OptionGroup var arguments: MachineArguments

  func run() async throws {
    try await control(arguments, global, word: "resume", .resume)
  }
}
