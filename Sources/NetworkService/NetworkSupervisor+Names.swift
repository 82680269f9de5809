internal import Glibc
internal import Networking
internal import Supervision
internal import SystemIO

extension NetworkSupervisor {
  func serveNames(_ done: @escaping Done) {
    guard let network, let namespace else { return names.stop { done(nil) } }
    do {
      let service = try NameService(
        network, directory: directory, hostResolvers: hostResolvers())
      switch try service.change() {
      case .restart:
        names.stop { [unowned self] in
          do {
            try service.write()
            keepNames(service, namespace, done)
          } catch {
            done(NetworkError("\(error)"))
          }
        }
      case .reread:
        try service.write()
        try names.signal(SIGHUP)
        keepNames(service, namespace, done)
      case .none: keepNames(service, namespace, done)
      }
    } catch {
      done(NetworkError("\(error)"))
    }
  }

  /// Where the addresses are others', there is nothing that a port could lead to.
  func openForwards(_ done: @escaping Done) {
    if let network, network.mode != .bridge { forwards.reconcile(network.ports) }
    done(nil)
  }

  private func keepNames(
    _ service: NameService, _ namespace: Namespace, _ done: @escaping Done
  ) {
    names.keep(context: "\(namespace.inode) \(shortHash(service.configuration))") {
      try namespace.entering(NetworkTool.dnsmasq.request(service.arguments))
    } then: { result in
      if case .failure(let error) = result { return done(NetworkError("\(error)")) }
      done(nil)
    }
  }

  /// The resolvers that the host uses, but one of its own.
  private func hostResolvers() -> [String] {
    // systemd-resolved names itself in the first file, and in the second those that it asks.
    for path in ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"] {
      // A host need not have either.
      guard let bytes = try? readFile(path, limit: 1 << 20) else { continue }
      let resolvers = NameService.hostResolvers(String(decoding: bytes, as: UTF8.self))
      if !resolvers.isEmpty { return resolvers }
    }
    return []
  }
}
