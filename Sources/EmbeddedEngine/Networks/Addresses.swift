internal import EngineInterface
internal import GRDB
internal import Resources

/// A network as the store has it, or is about to have it.
struct StoredNetwork: Sendable {
  var id: ResourceID
  var uid: String
  var spec: NetworkSpecification
  /// nil where its mode gives no addresses.
  var subnets: Subnets?

  /// - Parameter spec: what it is about to be; nil for what is stored.
  init(_ db: Database, _ name: String, about spec: NetworkSpecification? = nil) throws {
    id = ResourceID(.network, name)
    let row = try StoredResource.require(db, id)
    uid = row.uid
    self.spec = try spec ?? NetworkSpecification(Intent.pendingSpec(db, id) ?? row.resource.spec)
    subnets = self.spec.mode.isSegment ? try Subnets(db, network: uid) : nil
  }

  /// Whether machines are plugged into it, and not into QEMU's own network.
  var hasPorts: Bool { spec.mode != .user }

  /// The machines whose guests are on a network though that is no longer declared, by name.
  static func guestsLeaving(_ id: ResourceID, _ db: Database) throws -> [ResourceID] {
    let network = try StoredNetwork(db, id.name)
    if !network.hasPorts { return [] }
    return try NetworkPlugs(network, PlugRows(db, of: [network])).plugs.filter(\.isUp)
      .map(\.machine.id)
  }

  /// What tells its allocation from those of the interface's on other networks.
  func slot(of interface: String) -> String { Self.slots(of: interface, uid).address }
  func slot6(of interface: String) -> String { Self.slots(of: interface, uid).address6 }

  /// The slots of an interface's addresses on the network of an id.
  static func slots(of interface: String, _ uid: String) -> (address: String, address6: String) {
    ("\(interface)/\(uid)", "\(interface)/\(uid)/6")
  }

  func value(_ address: some CustomStringConvertible) -> String { "\(uid):\(address)" }

  /// The address in an allocation's value.
  func address(in value: String?) -> String? {
    value.flatMap { $0.hasPrefix(uid + ":") ? String($0.dropFirst(uid.utf8.count + 1)) : nil }
  }
}

extension EmbeddedEngine {
  /// Gives the interfaces of a machine their addresses on networks that ingot keeps: those asked
  /// for, else those they have, else new ones.
  ///
  /// - Parameters:
  ///   - row: the machine's, for what its guest has while it runs.
  ///   - network: one that is about to be as it says here; then what is asked for and does not fit
  ///     there any more is passed over.
  func reserveAddresses(
    _ db: Database, _ spec: MachineSpecification, _ row: StoredMachine, _ id: ResourceID,
    on network: StoredNetwork? = nil
  ) throws {
    if row.isDown { _ = try Allocation.freeOutgoing(db, owner: row.uid) }
    var slots: Set<String> = []
    for interface in spec.interfaces {
      let isChanging = network.map { $0.id.name == interface.network } ?? false
      guard let on = try isChanging ? network : StoredNetwork(db, interface.network) else {
        continue
      }
      // One that an act which was cut short is taking away.
      if isChanging, try Allocation.value(db, .mac, owner: row.uid, slot: interface.name) == nil {
        continue
      }
      if on.spec.mode == .bridge { try requireNoForwards(interface, on, id) }
      guard let subnets = on.subnets else { continue }
      slots.formUnion([on.slot(of: interface.name), on.slot6(of: interface.name)])
      let what = "interface \(interface.name) of \(id)"
      try reserve(db, interface, on, subnets, row, what, isLenient: isChanging)
      try reserve6(db, interface, on, subnets, row, what, isLenient: isChanging)
    }
    slots.formUnion(try heldSlots(db, row))
    try Allocation.keepOnly(db, .address, owner: row.uid, slots: slots)
  }

  /// Saves a machine's row, and frees the MACs and addresses of interfaces that are neither declared,
  /// or about to be, nor its running guest's.
  func save(_ row: StoredMachine, _ db: Database) throws {
    try row.save(db)
    // A damaged specification must not keep a guest from being brought down.
    guard let spec = try StoredResource.declaredSpec(db, uid: row.uid),
      let declared = try? MachineSpecification(spec)
    else { return }
    try freeMACs(db, besides: declared, of: row)
    let slots = try slots(db, declared).union(heldSlots(db, row))
    try Allocation.keepOnly(db, .address, owner: row.uid, slots: slots)
  }

  /// The slots of what a running guest has and is no longer declared.
  private func heldSlots(_ db: Database, _ row: StoredMachine) throws -> Set<String> {
    try row.heldSpec.map { try slots(db, $0) } ?? []
  }

  /// The slots that interfaces have where their networks give addresses, and may have elsewhere.
  private func slots(_ db: Database, _ spec: MachineSpecification) throws -> Set<String> {
    try Set(
      spec.interfaces.flatMap { interface -> [String] in
        let id = ResourceID(.network, interface.network)
        guard let network = try StoredResource.find(db, id) else { return [] }
        let slots = StoredNetwork.slots(of: interface.name, network.uid)
        return [slots.address, slots.address6]
      })
  }

  private func requireNoForwards(
    _ interface: MachineSpecification.Interface, _ network: StoredNetwork, _ id: ResourceID
  ) throws {
    guard let port = interface.ports.first else { return }
    throw EngineError(
      "unsupported",
      "guest port \(port.guest) of interface \(interface.name) of \(id) can't be forwarded: "
        + "\(network.id) is of mode bridge, where guests are reached by their own addresses",
      help: "remove its `ports`")
  }

  private func reserve(
    _ db: Database, _ interface: MachineSpecification.Interface, _ on: StoredNetwork,
    _ subnets: Subnets, _ row: StoredMachine, _ what: String, isLenient: Bool
  ) throws {
    let slot = on.slot(of: interface.name)
    let old = on.address(in: try Allocation.value(db, .address, owner: row.uid, slot: slot))
      .flatMap { IPv4Address($0) }
    let address: IPv4Address
    if let wanted = interface.address.flatMap({ IPv4Address($0) }),
      try isFitting(wanted, subnets.network, on, what, isLenient: isLenient)
    {
      address = wanted
    } else if let old, subnets.network.isHost(old), old != subnets.network.gateway {
      address = old
    } else {
      address = try freeAddress(db, on, subnets, what)
    }
    try Allocation.take(
      db, .address, on.value(address), owner: row.uid, slot: slot, keepsOld: !row.isDown)
  }

  private func isFitting(
    _ wanted: IPv4Address, _ subnet: IPv4Network, _ on: StoredNetwork, _ what: String,
    isLenient: Bool
  ) throws -> Bool {
    if subnet.isHost(wanted), wanted != subnet.gateway { return true }
    if isLenient { return false }
    let reason =
      !subnet.contains(wanted)
      ? "is outside \(subnet)"
      : wanted == subnet.gateway ? "is the network's own, as the gateway" : "is no host's address"
    throw EngineError(
      "invalid", "the address \(wanted) of \(what) \(reason) on \(on.id)",
      help: "choose one of \(subnet), or leave it out and the engine chooses")
  }

  /// The first free address of the range that DHCP has; without one, from the middle of the subnet
  /// on, so that the low ones stay free for those who ask for them.
  private func freeAddress(
    _ db: Database, _ on: StoredNetwork, _ subnets: Subnets, _ what: String
  ) throws -> IPv4Address {
    let taken = Set(
      try Allocation.all(db, .address, beginning: on.uid + ":").compactMap {
        on.address(in: $0.value).flatMap { IPv4Address($0) }?.value
      })
    let subnet = subnets.network
    let (first, last) = (subnet.first.value + 2, subnet.last.value - 1)
    var ranges: [ClosedRange<UInt32>]
    let declared = on.spec.dhcpRange.compactMap { IPv4Address($0) }
    if declared.count == 2, declared[0] <= declared[1] {
      ranges = [declared[0].value...declared[1].value]
    } else {
      let middle = first + (last - first) / 2
      ranges = [middle...last, first...middle]
    }
    for range in ranges {
      let free = range.first { value in
        let address = IPv4Address(value: value)
        return !taken.contains(value) && subnet.isHost(address) && address != subnet.gateway
      }
      if let free { return IPv4Address(value: free) }
    }
    let place = declared.count == 2 ? "\(declared[0]) to \(declared[1])" : "\(subnet)"
    throw EngineError(
      "in-use", "no address is free for \(what): all of \(place) on \(on.id) are taken",
      help: "give \(on.id) a larger subnet or range, or delete machines on it")
  }

  private func reserve6(
    _ db: Database, _ interface: MachineSpecification.Interface, _ on: StoredNetwork,
    _ subnets: Subnets, _ row: StoredMachine, _ what: String, isLenient: Bool
  ) throws {
    let subnet = subnets.network6
    var address: IPv6Address?
    if let wanted = interface.address6.flatMap({ IPv6Address($0) }) {
      if subnet.isHost(wanted), wanted != subnet.gateway {
        address = wanted
      } else if !isLenient {
        throw EngineError(
          "invalid", "the address \(wanted) of \(what) is no guest's in \(subnet) on \(on.id)",
          help: "choose another one of it, or leave it out and the engine chooses")
      }
    }
    // What a guest that is told the network alone gives itself, so that both ways lead to the same.
    let mac = try Allocation.value(db, .mac, owner: row.uid, slot: interface.name)
    guard let address = address ?? mac.flatMap({ subnet.address(ofMAC: $0) }) else {
      throw corruptRow("allocations", "the MAC of \(what) is missing")
    }
    try Allocation.take(
      db, .address, on.value(address), owner: row.uid, slot: on.slot6(of: interface.name),
      keepsOld: !row.isDown)
  }
}
