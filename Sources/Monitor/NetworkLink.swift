internal import Networking
internal import Supervision
internal import SystemIO

/// The monitor's connection to the supervisor of one network, which it launches where none runs and
/// again when it ends.
final class NetworkLink {
  /// The waits before a supervisor is launched again, in milliseconds.
  private static let delay = RestartDelay(initial: 100, maximum: 5000, resetAfter: 10_000)

  private let directory: NetworkDirectory
  private let executable: String?
  private let loop: EventLoop
  private let work: BackgroundWork
  private let host: HostContext
  private let log: ServiceLog
  private var channel: NetworkChannel?
  private var connectedSince: UInt64 = 0
  private var endsInARow = 0
  private var timer: EventLoop.Timer?
  private var isClosed = false
  private var lastProblem = ""
  /// Who waits for the connection.
  private var waiting: [(Result<NetworkChannel, NetworkError>) -> Void] = []
  /// The network's namespace; 0 where it is not known, or has none of its own.
  private(set) var namespace: UInt64 = 0
  /// Told when the namespace is known, whenever a supervisor is found.
  var onNamespace: () -> Void = {}

  /// Begins to connect.
  init(_ path: String, _ supervisor: Supervisor) {
    directory = NetworkDirectory(path)
    executable = supervisor.configuration.networkExecutable
    loop = supervisor.loop
    work = supervisor.work
    host = supervisor.host
    log = supervisor.log
    launch()
  }

  /// The path of the network's directory.
  var path: String { directory.path }

  /// Gives the connection, once there is one or it turns out that there is none now.
  func connected(_ body: @escaping (Result<NetworkChannel, NetworkError>) -> Void) {
    if let channel { return body(.success(channel)) }
    waiting.append(body)
  }

  /// Opens a port's tap.
  func tap(
    _ port: String, _ completion: @escaping (Result<NetworkChannel.Tap, NetworkError>) -> Void
  ) {
    connected { result in
      switch result {
      case .success(let channel): channel.tap(port, completion)
      case .failure(let error): completion(.failure(error))
      }
    }
  }

  /// Ends the connection and the attempts at it; the supervisor runs on for others.
  func close() {
    isClosed = true
    onNamespace = {}
    loop.cancel(timer)
    channel?.close()
    channel = nil
    settle(.failure(NetworkError("the guest has no interface on it any more")))
  }

  private func launch() {
    guard let executable else {
      return later(NetworkError("the monitor was not told where ingot-network is"))
    }
    work.run { [directory, host] in
      Self.launch(directory, executable, host)
    } then: { [weak self] result in
      guard let self, !isClosed else { return }
      do {
        try result.get().get()
        opened(try NetworkChannel(loop, directory))
      } catch {
        later(NetworkError("\(error)"))
      }
    }
  }

  /// Blocks its thread.
  private static func launch(
    _ directory: NetworkDirectory, _ executable: String, _ host: HostContext
  ) -> Result<Void, any Error> {
    Result { _ = try connectNetwork(directory, executable: executable, host: host) }
  }

  private func opened(_ channel: NetworkChannel) {
    self.channel = channel
    connectedSince = host.uptime()
    lastProblem = ""
    channel.onClose = { [weak self] in self?.lost() }
    settle(.success(channel))
    askNamespace()
  }

  /// A supervisor keeps its namespace; another may have had to make a new one.
  private func askNamespace() {
    channel?.namespace { [weak self] result in
      guard let self, !isClosed else { return }
      switch result {
      case .success(let namespace):
        self.namespace = namespace
        onNamespace()
      case .failure(let error):
        tell(error)
        timer = loop.after(milliseconds: Self.delay.maximum) { [weak self] in
          self?.askNamespace()
        }
      }
    }
  }

  private func lost() {
    channel = nil
    namespace = 0
    loop.cancel(timer)
    let lasted = Int((host.uptime() - connectedSince) / 1_000_000)
    if lasted >= Self.delay.resetAfter { endsInARow = 0 }
    log.write("the supervisor of \(path) ended: it is launched again")
    launchAgain()
  }

  private func later(_ error: NetworkError) {
    tell(error)
    launchAgain()
    settle(.failure(error))
  }

  private func tell(_ error: NetworkError) {
    if error.description != lastProblem { log.write("\(path): \(error)") }
    lastProblem = error.description
  }

  private func launchAgain() {
    endsInARow += 1
    timer = loop.after(milliseconds: Self.delay.wait(afterEnds: endsInARow)) { [weak self] in
      self?.launch()
    }
  }

  private func settle(_ result: Result<NetworkChannel, NetworkError>) {
    let waiting = waiting
    self.waiting = []
    for body in waiting { body(result) }
  }
}
