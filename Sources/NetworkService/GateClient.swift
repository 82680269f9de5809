internal import JSON
internal import Networking
internal import Supervision
internal import SystemIO

/// The supervisor's line to the gate.
///
/// What was asked of a gate that ended before it answered is asked of the next one, for as long as
/// somebody waits: its requests can be carried out twice, since what a dead gate made is gone.
final class GateClient {
  private typealias Answer = RPCChannel.Answer

  private struct Call {
    let method: String
    let params: JSONObject
    let timer: EventLoop.Timer
    let completion: (Result<Answer, NetworkError>) -> Void
  }

  /// Milliseconds for which an answer is waited for; time enough for a gate after one that died.
  private static let patience = 10_000

  private let loop: EventLoop
  private let path: String
  private var channel: RPCChannel?
  private var calls: [Int: Call] = [:]
  private var lastCall = 0

  init(_ loop: EventLoop, _ directory: NetworkDirectory) {
    self.loop = loop
    path = directory.gate
  }

  /// Asks which network namespace the gate is in, by inode number.
  func hello(_ completion: @escaping (Result<UInt64, NetworkError>) -> Void) {
    call("hello", [:]) { result in
      completion(
        result.flatMap { answer in
          guard let inode = answer.result["namespace"]?.string.flatMap({ UInt64($0) }) else {
            return .failure(NetworkError("the gate does not say where it is"))
          }
          return .success(inode)
        })
    }
  }

  /// Sets settings of the kernel in the namespace, as files below `/proc/sys`.
  ///
  /// - Parameter completion: gets the names that the kernel does not have.
  func set(
    _ settings: [(file: String, value: String)],
    _ completion: @escaping (Result<[String], NetworkError>) -> Void
  ) {
    let list = settings.map { setting -> JSONValue in
      ["file": .string(setting.file), "value": .string(setting.value)]
    }
    call("settings", ["settings": .array(list)]) { result in
      completion(
        result.map { answer in
          answer.result["missing"]?.array?.compactMap { $0.string } ?? []
        })
    }
  }

  /// Makes a tap.
  func tap(
    _ name: String, _ completion: @escaping (Result<Descriptor, NetworkError>) -> Void
  ) {
    call("tap", ["name": .string(name)]) { completion($0.flatMap(Self.descriptor)) }
  }

  /// Begins a connection from inside.
  func dial(
    _ transport: NetworkConfiguration.Transport, _ address: String, _ port: UInt16,
    _ completion: @escaping (Result<Descriptor, NetworkError>) -> Void
  ) {
    let params: JSONObject = [
      "transport": .string(transport.rawValue), "address": .string(address),
      "port": .integer(Int64(port)),
    ]
    call("dial", params) { completion($0.flatMap(Self.descriptor)) }
  }

  /// Connects where there is a gate, and asks it what waits; to be called when one was started.
  func connect() {
    guard channel == nil, let channel = try? RPCChannel(loop, path, peer: "the gate") else {
      // Whoever starts a gate calls this again.
      return
    }
    self.channel = channel
    channel.onClose = { [weak self] in self?.channel = nil }
    for number in calls.keys.sorted() { ask(number, channel) }
  }

  /// Lets go of the gate.
  func close() {
    channel?.close()
    channel = nil
  }

  private func call(
    _ method: String, _ params: JSONObject,
    _ completion: @escaping (Result<Answer, NetworkError>) -> Void
  ) {
    lastCall += 1
    let number = lastCall
    let timer = loop.after(milliseconds: Self.patience) { [weak self] in
      self?.settle(number, .failure(NetworkError("the gate did not answer '\(method)' in time")))
    }
    calls[number] = Call(method: method, params: params, timer: timer, completion: completion)
    if let channel { ask(number, channel) } else { connect() }
  }

  private func ask(_ number: Int, _ channel: RPCChannel) {
    guard let call = calls[number] else { return }
    channel.call(call.method, call.params, milliseconds: Self.patience) { [weak self] result in
      if case .failure(let error) = result, error.isGone { return }
      self?.settle(number, result.mapError { NetworkError($0.description) })
    }
  }

  private func settle(_ number: Int, _ result: Result<Answer, NetworkError>) {
    guard let call = calls.removeValue(forKey: number) else { return }
    loop.cancel(call.timer)
    call.completion(result)
  }

  private static func descriptor(_ answer: Answer) -> Result<Descriptor, NetworkError> {
    if let descriptor = answer.descriptor { return .success(descriptor) }
    return .failure(NetworkError("the gate answered without a descriptor"))
  }
}
