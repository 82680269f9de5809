internal import EngineInterface
internal import GRDB
internal import Glibc
internal import Resources
internal import SystemIO

/// The ranges that a network of mode nat or isolated gives addresses from.
struct Subnets: Sendable, Hashable {
  var network: IPv4Network
  /// A /64; there even where guests get no IPv6 addresses.
  var network6: IPv6Network
  /// The two addresses of root's way out, through the host's routing; nil for an ordinary user's.
  var uplink: IPv4Network?

  /// Those that a network was given; nil where it has none, as in mode `user`.
  init?(_ db: Database, network uid: String) throws {
    guard let text = try Allocation.value(db, .subnet, owner: uid, slot: Self.slot),
      let text6 = try Allocation.value(db, .subnet, owner: uid, slot: Self.slot6)
    else { return nil }
    guard let network = IPv4Network(text), let network6 = IPv6Network(text6) else {
      throw corruptRow("allocations", "the subnets of network \(uid) are '\(text)' and '\(text6)'")
    }
    self.network = network
    self.network6 = network6
    uplink = try Allocation.value(db, .subnet, owner: uid, slot: Self.uplinkSlot)
      .flatMap { IPv4Network($0) }
  }

  static let slot = "4"
  static let slot6 = "6"
  static let uplinkSlot = "uplink"
}

extension EmbeddedEngine {
  /// What is chosen from, in parts of 256 addresses: seldom used elsewhere.
  private static let pool = IPv4Network("10.64.0.0/10")

  /// What the way out of a network of mode nat has for itself, inside it: slirp4netns(1).
  private static let uplink = IPv4Network("10.0.2.0/24")

  /// What root's ways out are chosen from, each a /30: the range of RFC 6598, which is for what
  /// lies between a network and its translator.
  private static let uplinkPool = IPv4Network("100.64.0.0/10")

  /// Gives a network its subnets: those asked for, else those it has, else new ones; or takes them
  /// back where its mode needs none.
  ///
  /// - Throws: `EngineError` `in-use`, naming who has addresses in common with them.
  func reserveSubnets(
    _ db: Database, _ spec: NetworkSpecification, _ id: ResourceID, uid: String
  ) throws {
    guard spec.mode.isSegment else {
      return try Allocation.keepOnly(db, .subnet, owner: uid, slots: [])
    }
    let old = try Subnets(db, network: uid)
    let network =
      try spec.subnet.map { try requested($0, old?.network, db, id, uid) }
      ?? old?.network ?? freeSubnet(try usedNetworks(db, except: uid), id)
    let network6 =
      try spec.subnet6.map { try requested6($0, db, id, uid) }
      ?? old?.network6 ?? newNetwork6(db)
    try Allocation.take(db, .subnet, network.description, owner: uid, slot: Subnets.slot)
    try Allocation.take(db, .subnet, network6.description, owner: uid, slot: Subnets.slot6)
    // Kept in mode isolated too: until the act is over others see the network in its old mode.
    if spec.mode == .nat, geteuid() == 0, old?.uplink == nil {
      let pair = try freeUplink(try usedNetworks(db, except: uid), id, uid)
      try Allocation.take(db, .subnet, "\(pair)", owner: uid, slot: Subnets.uplinkSlot)
    }
  }

  private func requested(
    _ text: String, _ old: IPv4Network?, _ db: Database, _ id: ResourceID, _ uid: String
  ) throws -> IPv4Network {
    guard let wanted = IPv4Network(text), (8...29).contains(wanted.prefix) else {
      throw EngineError(
        "invalid", "the subnet \(text) of \(id) is no IPv4 network of 8 to 29 bits",
        help: "write for example 10.77.0.0/24")
    }
    // The host may have gained a route to it, which is no reason to refuse another change.
    if wanted == old { return wanted }
    if let other = try usedNetworks(db, except: uid).first(where: { $0.network.overlaps(wanted) }) {
      throw overlap(id, "\(wanted)", "\(other.network)", other.user)
    }
    return wanted
  }

  private func requested6(
    _ text: String, _ db: Database, _ id: ResourceID, _ uid: String
  ) throws -> IPv6Network {
    guard let wanted = IPv6Network(text), wanted.prefix == 64 else {
      throw EngineError(
        "invalid", "the subnet \(text) of \(id) is no IPv6 network of 64 bits",
        help: "write for example fd12:3456:789a::/64")
    }
    if let owner = try Allocation.owner(db, .subnet, wanted.description), owner != uid {
      throw overlap(id, "\(wanted)", "\(wanted)", try user(of: owner, db))
    }
    return wanted
  }

  private func overlap(
    _ id: ResourceID, _ wanted: String, _ other: String, _ user: String
  ) -> EngineError {
    EngineError(
      "in-use", "the subnet \(wanted) of \(id) overlaps \(other), \(user)",
      help: "choose another, or leave it out and the engine chooses")
  }

  private func usedNetworks(_ db: Database, except uid: String) throws -> [UsedNetwork] {
    var used = [Self.uplink].compactMap { $0 }.map {
      UsedNetwork($0, "the way out of networks of mode nat")
    }
    for (owner, slot, value) in try Allocation.all(db, .subnet)
    where slot != Subnets.slot6 && owner != uid {
      guard let network = IPv4Network(value) else { continue }
      used.append(UsedNetwork(network, try user(of: owner, db)))
    }
    return used + hostNetworks()
  }

  private func user(of owner: String, _ db: Database) throws -> String {
    "the subnet of " + (try StoredResource.address(db, uid: owner)?.description ?? owner)
  }

  private func freeSubnet(_ used: [UsedNetwork], _ id: ResourceID) throws -> IPv4Network {
    var next = Self.pool?.first.value ?? 0
    while let pool = Self.pool, next >= pool.first.value, next <= pool.last.value,
      let candidate = IPv4Network("\(IPv4Address(value: next))/24")
    {
      guard let other = used.first(where: { $0.network.overlaps(candidate) }) else {
        return candidate
      }
      // Past all of the other at once: it may be as large as the pool.
      next = (max(candidate.last.value, other.network.last.value) | 0xff) &+ 1
    }
    throw EngineError(
      "in-use", "no subnet is free for \(id): all of 10.64.0.0/10 is in use",
      help: "give it `subnet`, a private network that nothing on this host uses")
  }

  /// Begins at a place of the network's own: what other engines of this host choose at the same
  /// moment can't be known.
  private func freeUplink(
    _ used: [UsedNetwork], _ id: ResourceID, _ uid: String
  ) throws -> IPv4Network {
    if let pool = Self.uplinkPool {
      let count = (pool.last.value - pool.first.value) / 4 + 1
      let start = UInt32(truncatingIfNeeded: fnv1a(uid.utf8)) % count
      for number in 0..<count {
        let first = pool.first.value + (start + number) % count * 4
        guard let candidate = IPv4Network("\(IPv4Address(value: first))/30") else { continue }
        if !used.contains(where: { $0.network.overlaps(candidate) }) { return candidate }
      }
    }
    throw EngineError(
      "in-use", "no addresses are free for the way out of \(id): all of 100.64.0.0/10 is in use",
      help: "set its mode to isolated, or run ingot as an ordinary user")
  }

  /// A unique local network (RFC 4193): random once, so that networks of different hosts can be
  /// joined later.
  private func newNetwork6(_ db: Database) throws -> IPv6Network {
    while true {
      let bits = host.randomBytes(7).reduce(UInt128(0xfd)) { $0 << 8 | UInt128($1) }
      let network = IPv6Network(of: IPv6Address(value: bits << 64), prefix: 64)
      if try Allocation.owner(db, .subnet, network.description) == nil { return network }
    }
  }
}
