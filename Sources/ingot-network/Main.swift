internal import Glibc
internal import NetworkService
internal import SystemIO

/// The supervisor of a network, and its gate; see `NetworkProcess`.
@main
struct Main {
  static func main() {
    do {
      // SIGPIPE too: a write to a pipe whose reader is gone is an error like any other.
      // Each connection to a forwarded port takes two.
      try allowOpenDescriptors(1 << 14)
      let signals = try SignalReceiver([SIGTERM, SIGINT, SIGPIPE])
      exit(NetworkProcess.run(Array(CommandLine.arguments.dropFirst()), signals: signals))
    } catch {
      exit(1)
    }
  }
}
