internal import Glibc
internal import Monitor
internal import SystemIO

/// The per-VM supervisor; see `MonitorProcess`.
@main
struct Main {
  static func main() {
    do {
      // SIGPIPE too: a write to a pipe whose reader is gone is an error like any other.
      let signals = try SignalReceiver([SIGTERM, SIGINT, SIGPIPE])
      exit(MonitorProcess.run(Array(CommandLine.arguments.dropFirst()), signals: signals))
    } catch {
      exit(1)
    }
  }
}
