internal import ArgumentParser

/// The root of the command tree.
struct Ingot: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ingot",
    abstract: "Virtual machines, pools and networks, declared in YAML.",
    discussion: """
      Exit codes: 0 done, 1 failed, 2 plan has changes (--detailed-exitcode), 3 refused by \
      protection, 4 wait timed out, 5 partly applied, 6 converted with dropped items, 64 usage.
      """,
    version: "ingot \(ingotVersion)",
    groupedSubcommands: [
      CommandGroup(
        name: "Manifests",
        subcommands: [
          ValidateCommand.self, PlanCommand.self, ShowCommand.self, ApplyCommand.self,
          DiffCommand.self, DestroyCommand.self, DeleteCommand.self, FormatCommand.self,
          SchemaCommand.self, ExplainCommand.self,
        ]),
      CommandGroup(
        name: "What there is",
        subcommands: [
          GetCommand.self, DescribeCommand.self, MapCommand.self, WaitCommand.self,
          EventsCommand.self,
        ]),
      CommandGroup(
        name: "Machines",
        subcommands: [
          StartCommand.self, StopCommand.self, RebootCommand.self, PauseCommand.self,
          ResumeCommand.self, ConsoleCommand.self, SSHCommand.self, ExecCommand.self,
          PortForwardCommand.self, ConnectCommand.self,
        ]),
      CommandGroup(
        name: "From and to elsewhere",
        subcommands: [
          ConvertCommand.self, ImageCommand.self, ImportCommand.self, ExportCommand.self,
        ]),
      CommandGroup(
        name: "This installation",
        subcommands: [DoctorCommand.self, VersionCommand.self, CompletionsCommand.self]),
    ])
}

/// The version of this build.
let ingotVersion = "0.1.0"
