public import Networking
public import Supervision
public import SystemIO

/// The host's ports that lead into a network: listens on the host, and passes on to the guests.
///
/// Sockets inside come from `dial`, so that it needs no rights there. All on the loop's thread.
public final class ForwardProxy {
  /// Obtains a socket of the network that is connected to a guest's address and port, or is being
  /// connected, and hands it or the reason on; at once or later.
  public typealias Dial = (
    _ transport: NetworkConfiguration.Transport, _ address: String, _ port: UInt16,
    _ answer: @escaping (Result<Descriptor, NetworkError>) -> Void
  ) -> Void

  private enum Listener {
    case stream(StreamForward)
    case datagram(DatagramForward)
  }

  private let loop: EventLoop
  private let limit: Int
  private let idleTime: Int
  private let dial: Dial
  private var targets: [ForwardTarget] = []
  private var listeners: [ForwardTarget.Key: Listener] = [:]
  private var failures: [ForwardTarget.Key: String] = [:]
  private var retry: EventLoop.Timer?
  private var retryDelay = 0
  private var clients = 0

  /// Makes one that forwards nothing yet.
  ///
  /// - Parameters:
  ///   - limit: how many connections and senders of datagrams there may be at a time.
  ///   - idleTime: milliseconds after which a sender of datagrams is forgotten.
  public init(_ loop: EventLoop, limit: Int = 1024, idleTime: Int = 60_000, dial: @escaping Dial) {
    self.loop = loop
    self.limit = limit
    self.idleTime = idleTime
    self.dial = dial
  }

  /// The forwards that do not work now; they are tried again.
  public var problems: [NetworkStatus.ForwardProblem] {
    targets.compactMap { target in
      failures[target.key].map {
        NetworkStatus.ForwardProblem(port: target.port, forward: target.forward, problem: $0)
      }
    }
  }

  /// Forwards what the ports say from now on.
  ///
  /// What stays as it is keeps its listener and its connections.
  public func reconcile(_ ports: [NetworkConfiguration.Port]) {
    let before = targets
    targets = ports.flatMap { port in
      port.forwards.compactMap { ForwardTarget($0, of: port) }
    }
    let wanted = Dictionary(
      targets.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    for key in before.map(\.key) {
      switch (listeners[key], wanted[key]) {
      case (nil, _): break
      case (.stream(let forward), let target?): forward.target = target
      case (.datagram(let forward), let target?): forward.target = target
      case (.stream(let forward), nil): forward.close()
      case (.datagram(let forward), nil): forward.close()
      }
    }
    listeners = listeners.filter { wanted[$0.key] != nil }
    failures = failures.filter { wanted[$0.key] != nil }
    retryDelay = 0
    listenAll()
  }

  /// Ends all listeners and connections.
  public func stop() { reconcile([]) }

  private func listenAll() {
    loop.cancel(retry)
    retry = nil
    for target in targets where listeners[target.key] == nil {
      do throws(SystemError) {
        listeners[target.key] = try listen(target)
        failures[target.key] = nil
      } catch {
        failures[target.key] = Self.problem(error, target.forward)
      }
    }
    guard !failures.isEmpty else { return }
    retryDelay = min(max(1000, retryDelay * 2), 30_000)
    retry = loop.after(milliseconds: retryDelay) { [weak self] in self?.listenAll() }
  }

  private func listen(_ target: ForwardTarget) throws(SystemError) -> Listener {
    let sort = target.key.transport == .tcp ? InternetSocket.Sort.stream : .datagram
    let socket = try InternetSocket.listen(sort, at: target.key.endpoint)
    let count = ForwardCount(
      take: { [weak self] in self?.take() ?? false }, release: { [weak self] in self?.release() })
    switch target.key.transport {
    case .tcp: return .stream(StreamForward(loop, socket, target, count, dial))
    case .udp:
      return .datagram(DatagramForward(loop, socket, target, count, dial, idleTime: idleTime))
    }
  }

  private func take() -> Bool {
    guard clients < limit else { return false }
    clients += 1
    return true
  }

  private func release() {
    clients -= 1
    guard clients == limit - 1 else { return }
    for target in targets {
      if case .stream(let forward) = listeners[target.key] { forward.goOn() }
    }
  }

  private static func problem(
    _ error: SystemError, _ forward: NetworkConfiguration.Forward
  ) -> String {
    if error.isDenied {
      return "\(error); an ordinary user may not listen on port \(forward.hostPort): use a port "
        + "from 1024 on, or lower net.ipv4.ip_unprivileged_port_start"
    }
    if error.isInUse {
      return "\(error); end what listens there, or use another port"
    }
    if error.isForeignAddress {
      return "\(error); use an address that the host has"
    }
    return "\(error)"
  }
}

/// Room for clients, which all forwards of a network share.
struct ForwardCount {
  /// Whether there is room for one more, which is taken then.
  let take: () -> Bool
  /// Gives one's room back.
  let release: () -> Void
}
