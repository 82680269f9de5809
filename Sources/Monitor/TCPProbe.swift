internal import JSON
internal import Networking
internal import QEMU
internal import Supervision
internal import SystemIO

/// Whether something in a guest accepts TCP connections at an address.
///
/// QEMU's user network accepts before it has asked the guest, so that a connection that stands says
/// nothing. There the guest has accepted when it sends something, or when QEMU's own list shows the
/// port's connections past `SYN_SENT`; the list is `info usernet`, the only place that tells.
final class TCPProbe {
  private let loop: EventLoop
  private let address: String
  private let port: UInt16
  private let timeout: Int
  private var qmp: QMPChannel?
  private var answer: ((String?) -> Void)?
  private var socket: Descriptor?
  private var timers: [EventLoop.Timer] = []
  private var agreeing = 0

  init(
    _ loop: EventLoop, address: String, port: UInt16, timeout: Int,
    _ answer: @escaping (String?) -> Void
  ) {
    self.loop = loop
    self.address = address
    self.port = port
    self.timeout = timeout
    self.answer = answer
    timers.append(
      loop.after(milliseconds: timeout) { [weak self] in
        self?.finish("\(address):\(port) did not answer within \(timeout) ms")
      })
  }

  func cancel() {
    answer = nil
    finish(nil)
  }

  /// Connects from within a network; what stands there the guest has accepted itself.
  ///
  /// - Parameter link: nil where the guest has no interface on the network.
  func begin(_ link: NetworkLink?, _ path: String) {
    guard let link else {
      loop.after(milliseconds: 0) { [weak self] in
        self?.finish("the guest has no interface on the network in \(path)")
      }
      return
    }
    link.connected { [weak self, address, port, timeout] result in
      switch result {
      case .failure(let error): self?.finish("\(error)")
      case .success(let channel):
        channel.dial(address, port, milliseconds: timeout) { [weak self] result in
          switch result {
          case .success: self?.finish(nil)
          case .failure(let error): self?.finish("\(error)")
          }
        }
      }
    }
  }

  /// Connects from the host, to the guest's port itself or to one that QEMU's user network forwards.
  func begin(userNetwork: QMPChannel?) {
    qmp = userNetwork
    do {
      let socket = try StreamSocket.connect(address: address, port: port)
      self.socket = socket
      loop.watch(socket, wantsWrite: true) { [weak self] canRead, canWrite in
        self?.ready(canRead, canWrite)
      }
    } catch {
      loop.after(milliseconds: 0) { [weak self] in self?.finish("\(error)") }
    }
  }

  private func ready(_ canRead: Bool, _ canWrite: Bool) {
    guard let socket else { return }
    if canWrite {
      if let error = StreamSocket.pendingError(socket) { return finish("\(error)") }
      loop.setWantsWrite(socket, false)
      if qmp == nil { return finish(nil) }
      askQEMU()
    }
    if canRead {
      do {
        let bytes = try StreamSocket.receive(from: socket)
        if bytes == [] { return finish("nothing in the guest accepts at \(address):\(port)") }
        if bytes != nil { finish(nil) }
      } catch {
        finish("nothing in the guest accepts at \(address):\(port)")
      }
    }
  }

  private func askQEMU() {
    qmp?.execute("human-monitor-command", ["command-line": "info usernet"]) { [weak self] result in
      guard let self, answer != nil else { return }
      guard case .success(let value) = result else {
        return finish("QEMU does not tell whether the guest accepted")
      }
      let states = Self.states(of: port, in: value.string ?? "")
      // Twice: QEMU may have taken our connection in only after the first answer.
      agreeing =
        !states.isEmpty && !states.contains("SYN_SENT") && !states.contains("SYN_RCVD")
        ? agreeing + 1 : 0
      if agreeing >= 2 { return finish(nil) }
      timers.append(loop.after(milliseconds: 50) { [weak self] in self?.askQEMU() })
    }
  }

  /// The states of the connections that came in at a port of the host.
  ///
  /// The lines read `TCP[ESTABLISHED] 15 127.0.0.1 2222 10.0.2.15 22 0 0`.
  static func states(of port: UInt16, in text: String) -> [String] {
    text.split(whereSeparator: \.isNewline).compactMap { line in
      let fields = line.split(separator: " ")
      guard fields.count >= 6, fields[0].hasPrefix("TCP["), fields[0].hasSuffix("]"),
        fields[3] == "\(port)"
      else { return nil }
      let state = String(fields[0].dropFirst(4).dropLast())
      return state == "HOST_FORWARD" ? nil : state
    }
  }

  private func finish(_ problem: String?) {
    for timer in timers { loop.cancel(timer) }
    timers = []
    if let socket { loop.unwatch(socket) }
    socket = nil
    let answer = answer
    self.answer = nil
    answer?(problem)
  }
}
