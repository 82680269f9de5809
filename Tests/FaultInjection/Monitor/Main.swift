internal import FaultPoints
internal import Glibc
internal import Monitor
internal import SystemIO

/// `ingot-monitor`, but it dies where a test says; see `FaultPoints`.
///
/// The run's directory is three above the machine's: `ROOT/home/machines/UID`.
@main
struct Main {
  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    if let directory = arguments.first {
      let root = directoryName(directoryName(directoryName(directory)))
      FaultPoints(root: root, victim: .monitor).install()
    }
    do {
      let signals = try SignalReceiver([SIGTERM, SIGINT, SIGPIPE])
      exit(MonitorProcess.run(arguments, signals: signals))
    } catch {
      exit(1)
    }
  }
}
