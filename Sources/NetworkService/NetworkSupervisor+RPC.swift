internal import JSON
internal import Networking
internal import Supervision
internal import SystemIO

extension NetworkSupervisor {
  /// Milliseconds that a connection into the network may take.
  private static let dialLimit = 5000

  /// Carries out one request of a client.
  ///
  /// - Throws: `JSONShapeError` or `RPCError` where the request makes no sense.
  func handle(_ request: RPCRequest) throws {
    let params = request.params
    switch request.method {
    case "hello": request.answer(.success([:]))
    case "status": status { request.answer($0.map(\.json).mapError(RPCError.init)) }
    case "namespace":
      whenBuilt { [unowned self] error in
        if let error { return request.answer(.failure(RPCError(error))) }
        request.answer(.success(["namespace": .string("\(namespace?.inode ?? 0)")]))
      }
    case "reload":
      requestBuild { error in
        request.answer(error.map { .failure(RPCError($0)) } ?? .success([:]))
      }
    case "tap": tap(try params.member("port").string(), request)
    case "dial":
      let transport = try params.member("transport").choice(NetworkConfiguration.Transport.self)
      let address = try params.member("address").string()
      let port: UInt16 = try params.member("port").integer(1 ... .max)
      whenBuilt { [unowned self] error in
        if let error { return request.answer(.failure(RPCError(error))) }
        dial(transport, address, port) { result in
          switch result {
          case .success(let socket): request.answer([:], passing: socket)
          case .failure(let error): request.answer(.failure(RPCError(error)))
          }
        }
      }
    case "stop":
      stop { error in
        request.answer(error.map { .failure(RPCError($0)) } ?? .success([:]))
      }
    default: throw RPCError("the network's supervisor knows no method '\(request.method)'")
    }
  }

  /// Makes a port's tap and joins it.
  private func tap(_ id: String, _ request: RPCRequest) {
    func fail(_ error: NetworkError) { request.answer(.failure(RPCError(error))) }
    whenBuilt { [unowned self] error in
      if let error { return fail(error) }
      guard let network, let port = network.ports.first(where: { $0.id == id }) else {
        return fail(NetworkError("network '\(network?.name ?? "")' has no port '\(id)'"))
      }
      gateClient.tap(port.tap) { [unowned self] result in
        guard case .success(let tap) = result else { return fail(tapError(result.failure, port)) }
        let inode = namespace?.inode ?? 0
        // A new tap has no limit.
        limits[port.tap] = .some(nil)
        carryOut(LinkPlan(network).commands(for: port)) { [unowned self] error in
          if let error { return fail(error) }
          limit([port]) { error in
            if let error { return fail(error) }
            request.answer(["namespace": .string("\(inode)")], passing: tap)
          }
        }
      }
    }
  }

  private func tapError(
    _ error: NetworkError?, _ port: NetworkConfiguration.Port
  ) -> NetworkError {
    let reason = error?.description ?? ""
    let hint =
      if reason.contains("/dev/net/tun") {
        "give the user the right to read and write it, or run the engine as root"
      } else {
        "where it is busy, a process of the machine holds it still"
      }
    return NetworkError("port '\(port.id)' gets no tap: \(reason); \(hint)")
  }

  /// Connects to an address from inside the network; a stream is connected when it is handed over.
  func dial(
    _ transport: NetworkConfiguration.Transport, _ address: String, _ port: UInt16,
    _ completion: @escaping (Result<Descriptor, NetworkError>) -> Void
  ) {
    gateClient.dial(transport, address, port) { [unowned self] result in
      guard case .success(let socket) = result, transport == .tcp else { return completion(result) }
      var isOver = false
      func finish(_ error: NetworkError?) {
        guard !isOver else { return }
        isOver = true
        loop.unwatch(socket)
        completion(error.map(Result.failure) ?? .success(socket))
      }
      let timer = loop.after(milliseconds: Self.dialLimit) {
        finish(NetworkError("\(address):\(port) did not answer within \(Self.dialLimit) ms"))
      }
      loop.watch(socket, wantsRead: false, wantsWrite: true) { [loop] _, canWrite in
        guard canWrite else { return }
        loop.cancel(timer)
        let failure = StreamSocket.pendingError(socket)
        finish(failure.map { NetworkError("\(address):\(port) can't be reached: \($0.reason)") })
      }
    }
  }

  /// Tells all that is known of the network now.
  private func status(_ completion: @escaping (Result<NetworkStatus, NetworkError>) -> Void) {
    var status = NetworkStatus(
      state: state, problem: problem, namespace: namespace?.inode ?? 0,
      processes: processes.filter(\.process.isKept).map { name, process in
        NetworkStatus.Process(
          name: name, pid: process.process?.identity.pid, restarts: process.restarts)
      }, forwardProblems: forwards.problems)
    if status.problem.isEmpty {
      let problems = processes.map(\.process.problem) + [uplinkProblem]
      status.problem = problems.filter { !$0.isEmpty }.joined(separator: "; ")
    }
    guard let network, network.mode == .bridge || namespace != nil else {
      return completion(.success(status))
    }
    links { [unowned self] result in
      do throws(NetworkError) {
        let links = try result.get()
        status.ports = network.ports.map { NetworkStatus.Port($0, links[$0.tap]) }
        if namespace != nil {
          status.leases = try NameService(network, directory: directory).leases()
        }
        completion(.success(status))
      } catch {
        completion(.failure(error))
      }
    }
  }
}

extension NetworkStatus.Port {
  /// A tap's counts are the guest's turned round: what it sends, the tap receives.
  fileprivate init(_ port: NetworkConfiguration.Port, _ link: LinkState.Link?) {
    self.init(
      id: port.id, tap: port.tap, isPlugged: link != nil, receivedBytes: link?.sent.bytes ?? 0,
      receivedPackets: link?.sent.packets ?? 0, sentBytes: link?.received.bytes ?? 0,
      sentPackets: link?.received.packets ?? 0)
  }
}

extension RPCError {
  init(_ error: NetworkError) { self.init(error.description) }
}
