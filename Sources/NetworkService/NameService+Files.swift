public import Networking
internal import SystemIO

/// The files as they stand, and who holds which address.
extension NameService {
  /// What dnsmasq needs before the files can say what they are to say.
  public func change() throws(NetworkError) -> Change {
    if try text(directory.namesConfiguration) != configuration { return .restart }
    if try !staleLeases().isEmpty { return .restart }
    if try text(directory.namesReservations) != reservations { return .reread }
    return try text(directory.namesHosts) == hosts ? .none : .reread
  }

  /// Writes the files; where `change()` said `restart`, dnsmasq must not run.
  public func write() throws(NetworkError) {
    do {
      let stale = try staleLeases()
      if !stale.isEmpty {
        let kept = try text(directory.namesLeases).split(separator: "\n").filter { line in
          LeaseLine(line).map { !stale.contains($0.address) } ?? true
        }
        try replaceFile(
          directory.namesLeases, with: Array(kept.map { $0 + "\n" }.joined().utf8))
      }
      try makeDirectories(directory.namesRead, permissions: 0o700)
      try replaceFile(directory.namesHosts, with: Array(hosts.utf8))
      try replaceFile(directory.namesReservations, with: Array(reservations.utf8))
      try replaceFile(directory.namesConfiguration, with: Array(configuration.utf8))
    } catch {
      throw NetworkError("network '\(network.name)': \(error)")
    }
  }

  /// Who holds which address now.
  public func leases() throws(NetworkError) -> [NetworkStatus.Lease] {
    let macs = Dictionary(
      network.ports.compactMap { port in
        port.address6.flatMap { InternetAddress($0) }.map { ($0, port.mac) }
      }, uniquingKeysWith: { first, _ in first })
    return try leaseLines().map { line in
      NetworkStatus.Lease(
        mac: line.mac ?? macs[line.address] ?? "", address: line.address.description,
        name: line.name, expires: line.expires)
    }
  }

  /// The leased addresses that are not reserved for who holds them any more.
  ///
  /// Until the lease ends dnsmasq would keep them from a new owner, and would answer for the name of
  /// a machine that is gone.
  private func staleLeases() throws(NetworkError) -> Set<InternetAddress> {
    let owners = Self.owners(reservations)
    let before = Self.owners(try text(directory.namesReservations))
    var stale: Set<InternetAddress> = []
    for line in try leaseLines() {
      guard let owner = owners[line.address] else {
        stale.insert(line.address)
        continue
      }
      // Of IPv6 dnsmasq does not write down who it is; who had it before must have it still.
      let holder = line.mac ?? before[line.address]
      if holder?.lowercased() != owner.lowercased() { stale.insert(line.address) }
    }
    return stale
  }

  private static func owners(_ reservations: String) -> [InternetAddress: String] {
    var owners: [InternetAddress: String] = [:]
    for line in reservations.split(separator: "\n") {
      let words = line.split(separator: ",")
      for word in words.dropFirst() {
        if let address = InternetAddress(word.filter { $0 != "[" && $0 != "]" }) {
          owners[address] = String(words[0])
        }
      }
    }
    return owners
  }

  private func leaseLines() throws(NetworkError) -> [LeaseLine] {
    try text(directory.namesLeases).split(separator: "\n").compactMap { LeaseLine($0) }
  }

  /// What a file holds; nothing where it is not there yet.
  private func text(_ path: String) throws(NetworkError) -> String {
    do throws(SystemError) {
      return String(decoding: try readFile(path, limit: 1 << 24), as: UTF8.self)
    } catch {
      if error.isNotFound { return "" }
      throw NetworkError("network '\(network.name)': \(error)")
    }
  }
}

/// A line of dnsmasq's lease file: `EXPIRES MAC|IAID ADDRESS NAME ID`.
private struct LeaseLine {
  let expires: Int64?
  /// Nil for IPv6, whose lines have another number there.
  let mac: String?
  let address: InternetAddress
  let name: String

  init?(_ line: Substring) {
    let words = line.split(separator: " ")
    guard words.count >= 4, let time = Int64(words[0]), let address = InternetAddress(words[2])
    else { return nil }
    expires = time == 0 ? nil : time
    self.address = address
    mac = address.isIPv6 ? nil : HardwareAddress(String(words[1]))?.description
    name = words[3] == "*" ? "" : String(words[3])
  }
}
