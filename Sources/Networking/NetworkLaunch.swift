internal import Glibc
internal import Supervision
public import SystemIO

/// Connects to a network's supervisor, launching it where none runs; blocks its thread.
///
/// The directory holds `network.json`. The supervisor is nobody's child: it outlives the caller.
/// Several callers at once are fine: one of them launches it.
/// - Parameters:
///   - executable: where `ingot-network` is.
///   - milliseconds: how long to wait until it can be talked to.
/// - Throws: `NetworkError` with the supervisor's reason.
public func connectNetwork(
  _ directory: NetworkDirectory, executable: String, host: HostContext, milliseconds: Int = 15_000
) throws(NetworkError) -> NetworkClient {
  let service = ServiceLaunch(
    title: "the supervisor of \(directory.path)", executable: executable,
    arguments: ["serve", directory.path], lock: directory.lock, log: directory.log)
  let deadline = host.uptime() + UInt64(max(0, milliseconds)) * 1_000_000
  repeat {
    if let client = try connect(directory, host, until: deadline) { return client }
    let left = Int(clamping: (Int64(deadline) - Int64(host.uptime())) / 1_000_000)
    let outcome: ServiceLaunch.Outcome
    do {
      outcome = try service.launch(milliseconds: max(0, left), host: host)
    } catch {
      throw NetworkError("\(error)")
    }
    switch outcome {
    case .ready, .late: break
    // Another's is starting, or was stopped and ends.
    case .busy: usleep(20_000)
    case .refused(let reason): throw NetworkError(reason)
    case .silent:
      throw NetworkError("\(service.title) ended without a word; see \(service.log)")
    }
  } while host.uptime() < deadline
  if let client = try connect(directory, host, until: deadline) { return client }
  throw NetworkError(
    "\(service.title) was not there within \(milliseconds) ms; see \(service.log)")
}

/// - Returns: nil where none listens and lives.
private func connect(
  _ directory: NetworkDirectory, _ host: HostContext, until deadline: UInt64
) throws(NetworkError) -> NetworkClient? {
  do {
    let client = try NetworkClient(directory, host: host)
    // One that was killed takes connections for a moment more.
    let left = Int(clamping: (Int64(deadline) - Int64(host.uptime())) / 1_000_000)
    try client.greet(milliseconds: max(1000, left))
    return client
  } catch let error as SystemError where error.isNotFound || error.isRefused {
    return nil
  } catch let error as RPCError where error.isGone {
    return nil
  } catch {
    throw NetworkError("\(error)")
  }
}
