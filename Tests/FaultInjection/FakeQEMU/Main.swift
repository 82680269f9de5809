internal import FaultPoints
internal import Glibc
internal import SystemIO

/// Stands in for `qemu-system-x86_64` where only QEMU's outside counts: it takes the command line
/// that the monitor gives it, opens and locks the disks, binds the forwarded ports, serves QMP, the
/// console and the guest agent's channel on the descriptors it is handed, and ends as QEMU does.
///
/// Its guest writes `READY` to the console, powers off at the button, and has no agent.
@main
struct Main {
  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    if arguments == ["--version"] {
      print("QEMU emulator version 7.2.22 (stand-in)")
      exit(0)
    }
    // The monitor starts it in the machine's directory: ROOT/home/machines/UID.
    var buffer = [CChar](repeating: 0, count: 4096)
    let directory = getcwd(&buffer, buffer.count).map { String(cString: $0) } ?? "/"
    let root = directoryName(directoryName(directoryName(directory)))
    let points = FaultPoints(root: root, victim: .qemu)
    points.reach("at its start")
    do {
      let signals = try SignalReceiver([SIGTERM, SIGINT, SIGPIPE])
      let machine = try Machine(LaunchOptions(arguments))
      points.reach("before it serves")
      try Service(machine, points, signals).run()
    } catch {
      fail("\(error)")
    }
  }

  private static func fail(_ message: String) -> Never {
    let line = Array("qemu-system-x86_64: \(message)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
    exit(1)
  }
}

/// What QEMU can't do, in its words.
struct Problem: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
