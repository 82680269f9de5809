internal import ArgumentParser
internal import EngineInterface
internal import Monitor
internal import Resources
internal import SystemIO
internal import XML

struct ExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Print a machine as another manager's definition.",
    discussion: """
      The disks stay where they are: stop a machine that another manager is to run, and copy its \
      disks.

        ingot export vm/web1 --to libvirt > web1.xml && virsh define web1.xml
      """)

  /// What is written.
  enum Target: String, ExpressibleByArgument, CaseIterable {
    case libvirt
  }

  @OptionGroup var global: GlobalOptions
  @Argument(help: ArgumentHelp("The machine by name or address.", valueName: "vm"))
  var machine: String
  @Option(help: "Whose definition: libvirt.")
  var to: Target

  func run() async throws {
    let name = try Addresses.machines([machine])[0]
    let session = try EngineSession.open(global)
    let resource = try await session.resource(ResourceID(.virtualMachine, name))
    guard resource.phase == .ready else {
      throw Failure(
        "\(resource.resource.id) is not complete: \(resource.reason ?? "no reason is known")",
        help: "apply its manifest again")
    }
    let directory = session.machineDirectory(resource)
    let configuration = try await blocking { try MonitorConfiguration.read(directory) }
    let export = DomainExport(machine: configuration.machine, emulator: configuration.qemu)
    TextStream.output.write(export.domain.document())
    for field in DomainExport.untold(resource.resource.spec) {
      TextStream.errors.line("warning: a domain can't tell \(field)")
    }
  }
}
