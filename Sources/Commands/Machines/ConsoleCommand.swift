internal import ArgumentParser
internal import EngineInterface
internal import Monitor
internal import Resources
internal import SystemIO

struct ConsoleCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "console", abstract: "Attach to a guest's serial console.",
    discussion: "What the guest wrote last is shown first. Ctrl-] detaches; the guest runs on.")

  @OptionGroup var global: GlobalOptions
  @Argument(help: ArgumentHelp("The machine by name or address.", valueName: "vm"))
  var machine: String
  @Flag(help: "Print what the guest wrote and end.")
  var log = false

  func run() async throws {
    let name = try Addresses.machines([machine])[0]
    let session = try EngineSession.open(global)
    let resource = try await session.resource(ResourceID(.virtualMachine, name))
    let directory = session.machineDirectory(resource)
    if log {
      return TextStream.output.write(
        try await blocking { try ConsoleLogFiles.read(directory) })
    }
    guard canPrompt(), TextStream.output.isTerminal else {
      throw Failure(
        "the console needs a terminal", help: "`ingot console \(name) --log` prints its log")
    }
    let host = session.host
    let isOver = CancellationFlag()
    let outcome = try await withTaskCancellationHandler {
      try await blocking {
        let console = try ConsoleCommand.attach(directory, name, host)
        TextStream.errors.line("Attached to \(name). Press Ctrl-] to detach.")
        return try ConsoleSession(console.descriptor, first: console.first).run(isOver)
      }
    } onCancel: {
      isOver.set()
    }
    TextStream.errors.line("\r\n\(outcome.sentence(name))")
  }

  private static func attach(
    _ directory: MachineDirectory, _ name: String, _ host: HostContext
  ) throws -> (descriptor: Descriptor, first: [UInt8]) {
    do {
      return try MonitorClient(directory, host: host).console()
    } catch {
      throw Failure(
        "cannot attach to the console of \(name): \(error)",
        help: "`ingot get vm \(name)` tells whether it runs; `ingot start \(name)` starts it")
    }
  }
}
