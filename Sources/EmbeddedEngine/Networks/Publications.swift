internal import Synchronization

/// Lets acts that change the same network at once share what that costs: whoever writes it takes
/// along all that asked before.
final class Publications: Sendable {
  private let networks = Mutex<[String: Publication]>([:])

  /// Does `body` for a network, unless somebody else has begun to do it since this call.
  ///
  /// - Throws: what `body` throws; whoever waited for it then does it himself.
  func perform(_ network: String, _ body: () throws -> Void) throws {
    let publication = networks.withLock { networks in
      let found = networks[network] ?? Publication()
      networks[network] = found
      return found
    }
    try publication.perform(body)
  }
}

private final class Publication: Sendable {
  private let asked = Mutex(0)
  /// The number of the last call that is served.
  private let served = Mutex(0)

  func perform(_ body: () throws -> Void) throws {
    let number = asked.withLock { asked in
      asked += 1
      return asked
    }
    try served.withLock { served in
      if served >= number { return }
      let last = asked.withLock { $0 }
      try body()
      served = last
    }
  }
}
