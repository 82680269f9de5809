internal import FaultPoints
internal import Glibc
internal import NetworkService
internal import SystemIO

/// `ingot-network`, but its supervisors die where a test says; see `FaultPoints`.
///
/// The run's directory is three above the network's: `ROOT/home/networks/UID`.
@main
struct Main {
  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    if arguments.count > 1, arguments[0] == "serve" {
      let root = directoryName(directoryName(directoryName(arguments[1])))
      FaultPoints(root: root, victim: .network).install()
    }
    do {
      let signals = try SignalReceiver([SIGTERM, SIGINT, SIGPIPE])
      exit(NetworkProcess.run(arguments, signals: signals))
    } catch {
      exit(1)
    }
  }
}
