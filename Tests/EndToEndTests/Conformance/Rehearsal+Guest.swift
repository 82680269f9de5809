import Glibc
import JSON
import Monitor
import QEMU
import SystemIO
import Testing

// What the guest, its monitor, QEMU and the host show.
extension Rehearsal {
  /// Asks the machine's monitor, off the threads that tests share.
  func monitor<Value: Sendable>(
    _ call: @escaping @Sendable (MonitorClient) throws -> Value
  ) async throws -> Value {
    let directory = try await directory()
    return try await offThread { try call(MonitorClient(directory, host: .live())) }
  }

  /// What QEMU says that the machine is made of.
  func hardware() async throws -> Hardware { try await monitor { try $0.hardware() } }

  /// What a script prints in the guest, without the line break at its end.
  func inGuest(_ script: String) async throws -> String {
    let result = try await monitor { try $0.run(["sh", "-c", script]) }
    let output = String(decoding: result.output, as: UTF8.self)
    #expect(
      result.status == 0,
      "\(script): \(output)\(String(decoding: result.errorOutput, as: UTF8.self))")
    return output.hasSuffix("\n") ? String(output.dropLast()) : output
  }

  /// QEMU's arguments, as the kernel knows them.
  func arguments() async throws -> String {
    let process = try #require(try await view().processID)
    return String(decoding: try readFile("/proc/\(process)/cmdline", limit: 1 << 20), as: UTF8.self)
      .split(separator: "\0").joined(separator: " ")
  }

  /// By which strategy the monitor decides about a guest that ends.
  func runStrategy() async throws -> String {
    try await monitor { try $0.call("status")["strategy"]?.string ?? "" }
  }

  /// How often the monitor asks whether the guest is ready, in milliseconds.
  func probePeriod() async throws -> String {
    let configuration = try MonitorConfiguration.read(try await directory())
    return "\(configuration.readiness?.period ?? 0)"
  }

  /// The host's port that leads to a port of the guest, as `lan/tcp/22`.
  func hostPort(_ slot: String) async throws -> UInt16 {
    let ports = try await view().details["ports"]
    return try #require(ports?[slot]?.string?.split(separator: ":").last.flatMap { UInt16($0) })
  }

  /// Who greets at a TCP port of the host: `SSH`; `nothing` where none does, `nobody` where nobody
  /// listens.
  func greeting(_ address: String, _ port: UInt16) async throws -> String {
    try await offThread {
      let socket: Descriptor
      do {
        socket = try StreamSocket.connect(address: address, port: port)
      } catch {
        return "nobody"
      }
      for _ in 0..<50 {
        var entries = [PollEntry(socket.raw, wantsRead: true)]
        try poll(&entries, milliseconds: 100)
        if let error = StreamSocket.pendingError(socket) {
          return error.isRefused ? "nobody" : "nothing"
        }
        // Reset by the guest, which has nobody at that port.
        guard let bytes = try? StreamSocket.receive(from: socket) else { continue }
        return bytes.isEmpty ? "nothing" : String(decoding: bytes.prefix(3), as: UTF8.self)
      }
      return "nothing"
    }
  }
}

/// Runs what blocks its thread on one of its own.
func offThread<Value: Sendable>(
  _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    do {
      try WorkerThread { continuation.resume(with: Result { try body() }) }.detach()
    } catch {
      continuation.resume(throwing: error)
    }
  }
}
