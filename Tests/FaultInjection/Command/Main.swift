internal import EmbeddedEngine
internal import FaultPoints
internal import FaultScenarios
internal import Glibc
internal import SystemIO

/// Carries out a scenario's operation, and dies where a test says; see `FaultPoints`.
///
/// `fault-command ROOT SCENARIO MONITOR NETWORK QEMU`.
@main
struct Main {
  static func main() async {
    let arguments = CommandLine.arguments
    guard arguments.count == 6, let scenario = Scenario.named(arguments[2]) else {
      print("usage: fault-command ROOT SCENARIO MONITOR NETWORK QEMU")
      exit(64)
    }
    FaultPoints(root: arguments[1], victim: .command).install()
    do {
      let programs = ProgramPaths(
        monitor: arguments[3], network: arguments[4], qemu: arguments[5],
        qemuImage: "/usr/bin/qemu-img")
      try await Site(root: arguments[1], programs: programs).perform(scenario.operation)
    } catch {
      print(error)
      exit(1)
    }
  }
}
