internal import Glibc

/// What a short program left.
public struct CapturedOutput: Sendable {
  /// How it ended; nil where it was killed because its time was over.
  public let end: ProcessEnd?
  /// What it wrote to standard output.
  public let output: [UInt8]
  /// What it wrote to standard error.
  public let errorOutput: [UInt8]
}

extension SpawnRequest {
  /// Runs a short program to its end and keeps what it writes; blocks the calling thread.
  ///
  /// - Parameters:
  ///   - milliseconds: after which it is killed.
  ///   - limit: bytes kept of each stream; a program that writes more is killed.
  public func run(
    milliseconds: Int, limit: Int = 1 << 20, host: HostContext
  ) throws(SystemError) -> CapturedOutput {
    let deadline = host.uptime() + UInt64(max(0, milliseconds)) * 1_000_000
    var streams: [Descriptor?] = []
    let handle: ProcessHandle
    do {
      let output = try makePipe(name: "the output of \(executable)")
      let errors = try makePipe(name: "the errors of \(executable)")
      var request = self
      request.detached = false
      request.descriptors += [(target: 1, source: output.write), (target: 2, source: errors.write)]
      handle = try ProcessHandle(childID: try request.spawn(), bootID: host.bootID)
      streams = [output.read, errors.read]
    }
    var texts: [[UInt8]] = [[], []]
    var isLate = false
    while streams.contains(where: { $0 != nil }), !isLate {
      let left = Int64(deadline) - Int64(host.uptime())
      var entries = streams.map { PollEntry($0?.raw ?? -1, wantsRead: true) }
      try poll(&entries, milliseconds: Int32(clamping: max(0, left / 1_000_000)))
      for index in entries.indices where entries[index].canRead {
        guard let stream = streams[index] else { continue }
        let bytes = try stream.readSome()
        texts[index] += bytes
        if bytes.isEmpty { streams[index] = nil }
      }
      isLate = left <= 0 || texts.contains { $0.count > limit }
    }
    if isLate { try handle.signal(SIGKILL) }
    let end = try handle.wait()
    return CapturedOutput(end: isLate ? nil : end, output: texts[0], errorOutput: texts[1])
  }
}

extension Descriptor {
  /// Reads what is there, up to 64 KiB; empty at the end.
  fileprivate func readSome() throws(SystemError) -> [UInt8] {
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { chunk.deallocate() }
    return Array(chunk[..<(try read(into: chunk))])
  }
}
