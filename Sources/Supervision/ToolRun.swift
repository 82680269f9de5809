internal import Glibc
public import SystemIO

/// Why a short program did not do what it was started for.
public struct ToolError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What it was, and its own words.
  public let description: String
}

/// A short program that runs beside the event loop.
public final class ToolRun {
  /// Bytes kept of what a program writes.
  private static let limit = 1 << 24

  private let title: String
  private let process: ProcessHandle
  private let output: Descriptor
  private let errors: Descriptor
  private var isLate = false

  /// Starts a program; `completion` is called once, when it has ended.
  ///
  /// - Parameters:
  ///   - request: what to start; its standard descriptors are set here.
  ///   - input: what it reads on its standard input.
  ///   - milliseconds: after which it is killed.
  ///   - completion: gets its standard output where it ended with status 0.
  public static func start(
    _ request: SpawnRequest, input: [UInt8] = [], milliseconds: Int = 10_000, loop: EventLoop,
    host: HostContext, _ completion: @escaping (Result<[UInt8], ToolError>) -> Void
  ) {
    let run: ToolRun
    do {
      run = try ToolRun(request, input, host)
    } catch {
      let problem = ToolError(description: "\(error)")
      loop.after(milliseconds: 0) { completion(.failure(problem)) }
      return
    }
    let timer = loop.after(milliseconds: milliseconds) {
      run.isLate = true
      // A process that can't be killed has ended, which the loop tells next.
      try? run.process.signal(SIGKILL)
    }
    loop.watch(run.process.descriptor) { _, _ in
      loop.unwatch(run.process.descriptor)
      loop.cancel(timer)
      completion(run.result(milliseconds))
    }
  }

  private init(
    _ request: SpawnRequest, _ input: [UInt8], _ host: HostContext
  ) throws(SystemError) {
    title = ([request.executable] + request.arguments).joined(separator: " ")
    output = try Descriptor.memory(name: "the output of \(request.executable)")
    errors = try Descriptor.memory(name: "the errors of \(request.executable)")
    var request = request
    request.descriptors += [
      (target: 0, source: try Descriptor.memory(input, name: "the input of \(request.executable)")),
      (target: 1, source: output), (target: 2, source: errors),
    ]
    process = try ProcessHandle(childID: try request.spawn(), bootID: host.bootID)
  }

  private func result(_ milliseconds: Int) -> Result<[UInt8], ToolError> {
    do {
      let end = try process.wait()
      if isLate { return .failure(ToolError(description: "\(title) took over \(milliseconds) ms")) }
      if end == .exited(0) { return .success(try output.contents(limit: Self.limit)) }
      let text = String(decoding: try errors.contents(limit: 4096), as: UTF8.self)
      return .failure(
        ToolError(
          description: "\(title) \(end?.summary ?? "ended"): "
            + text.split(whereSeparator: \.isNewline).joined(separator: "; ")))
    } catch {
      return .failure(ToolError(description: "\(error)"))
    }
  }
}

extension ProcessEnd {
  /// The end in words: `ended with status 1`.
  var summary: String {
    switch self {
    case .exited(let status): "ended with status \(status)"
    case .signalled(let signal): "was killed by signal \(signal)"
    }
  }
}
