internal import ArgumentParser

/// Work on disk images as files, without an engine.
struct ImageCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "image", abstract: "Look into disk images and turn them into other formats.",
    subcommands: [ImageConvertCommand.self, ImageInfoCommand.self])
}
