internal import NetworkService
internal import Networking
internal import Supervision
internal import SystemIO

/// Ports of the host that lead into a guest for as long as this runs.
struct PortForwarding: Sendable {
  /// The machine, for messages.
  let machine: String
  /// The guest's addresses, IPv4 first.
  let addresses: [String]
  /// The ports.
  let forwards: [NetworkConfiguration.Forward]
  /// Connects to the guest.
  let dial: GuestDial
  /// Nanoseconds on a steady clock.
  let uptime: @Sendable () -> UInt64
  /// Tells the user of a connection that did not come about.
  let say: @Sendable (String) -> Void

  /// Listens and passes on, until `end` has something to read; blocks its thread.
  ///
  /// - Parameter whenReady: called once all ports are listened on.
  /// - Throws: `Failure` where one of them can't be.
  func run(until end: Descriptor, whenReady: () -> Void) throws {
    let loop = EventLoop(uptime: uptime)
    let proxy = ForwardProxy(loop, dial: dialling(loop))
    proxy.reconcile([
      NetworkConfiguration.Port(
        id: machine, mac: "", address: addresses.first { !$0.contains(":") },
        address6: addresses.first { $0.contains(":") }, hostName: machine, forwards: forwards)
    ])
    defer { proxy.stop() }
    if let first = proxy.problems.first {
      throw Failure("port \(first.forward.hostPort) can't be forwarded: \(first.problem)")
    }
    loop.watch(end) { _, _ in loop.stop() }
    whenReady()
    try loop.run()
  }

  /// Dials beside the loop, each on a thread of its own.
  private func dialling(_ loop: EventLoop) -> ForwardProxy.Dial {
    var underWay: [Int: BackgroundWork] = [:]
    var last = 0
    return { [dial, machine, say] transport, address, port, answer in
      last += 1
      let id = last
      let work = BackgroundWork(loop)
      underWay[id] = work
      work.run {
        Result { try dial.dial(transport, address, port) }.mapError { NetworkError("\($0)") }
      } then: { result in
        underWay[id] = nil
        let outcome = result.mapError { NetworkError("\($0)") }.flatMap { $0 }
        if case .failure(let error) = outcome {
          say("cannot connect to \(machine):\(port): \(error)")
        }
        answer(outcome)
      }
    }
  }
}
