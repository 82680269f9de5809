internal import JSON
internal import QEMU
internal import Supervision

/// A command run in the guest by its agent: begun, then asked after until it has ended.
final class AgentExec {
  private let loop: EventLoop
  private let agent: AgentChannel
  private let deadline: UInt64
  private let now: () -> UInt64
  private let completion: (Result<JSONValue, QMPError>) -> Void
  private var wait = 20

  /// - Parameters:
  ///   - input: what the command finds on its standard input, in Base64.
  ///   - completion: gets `guest-exec-status`'s last answer: `exitcode` or `signal`, `out-data`
  ///     and `err-data` in Base64.
  static func run(
    _ command: [String], input: String? = nil, on agent: AgentChannel, loop: EventLoop,
    now: @escaping () -> UInt64, milliseconds: Int,
    _ completion: @escaping (Result<JSONValue, QMPError>) -> Void
  ) {
    let exec = AgentExec(loop, agent, now, milliseconds, completion)
    var arguments: JSONObject = [
      "path": .string(command.first ?? ""),
      "arg": .array(command.dropFirst().map(JSONValue.string)), "capture-output": true,
    ]
    if let input { arguments["input-data"] = .string(input) }
    agent.execute("guest-exec", arguments, deadline: milliseconds) { result in
      switch result {
      case .success(let value): exec.ask(value["pid"] ?? .null)
      case .failure(let error): completion(.failure(error))
      }
    }
  }

  private init(
    _ loop: EventLoop, _ agent: AgentChannel, _ now: @escaping () -> UInt64, _ milliseconds: Int,
    _ completion: @escaping (Result<JSONValue, QMPError>) -> Void
  ) {
    self.loop = loop
    self.agent = agent
    self.now = now
    self.completion = completion
    deadline = now() + UInt64(milliseconds) * 1_000_000
  }

  private func ask(_ pid: JSONValue) {
    let left = deadline > now() ? Int((deadline - now()) / 1_000_000) : 0
    guard left > 0 else {
      return completion(.failure(.timeout(command: "guest-exec", milliseconds: 0)))
    }
    agent.execute("guest-exec-status", ["pid": pid], deadline: left) { [self] result in
      switch result {
      case .success(let status) where status["exited"]?.bool != true:
        wait = min(wait * 2, 500)
        loop.after(milliseconds: min(wait, left)) { [self] in ask(pid) }
      case .success, .failure: completion(result)
      }
    }
  }
}
