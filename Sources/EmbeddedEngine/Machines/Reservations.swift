internal import DiskImage
internal import EngineInterface
internal import GRDB
internal import Resources
internal import SystemIO

// What a machine is given before its first step: MACs, host ports, disk rows.
extension EmbeddedEngine {
  /// Gives each interface its MAC: the one asked for, else the one it has, else a new one.
  ///
  /// - Parameter row: the machine's, for what its guest has while it runs.
  func reserveMACs(
    _ db: Database, _ spec: MachineSpecification, _ row: StoredMachine
  ) throws {
    for interface in spec.interfaces {
      if let mac = interface.mac {
        try Allocation.take(
          db, .mac, mac, owner: row.uid, slot: interface.name, keepsOld: !row.isDown)
      } else if try Allocation.value(db, .mac, owner: row.uid, slot: interface.name) == nil {
        let mac = try freeMAC(db, seed: row.uid + "/" + interface.name)
        try Allocation.take(db, .mac, mac, owner: row.uid, slot: interface.name)
      }
    }
    try freeMACs(db, besides: spec, of: row)
  }

  /// Frees the MACs of interfaces that are neither declared nor a running guest's.
  func freeMACs(_ db: Database, besides spec: MachineSpecification, of row: StoredMachine) throws {
    let interfaces = try spec.interfaces + (row.heldSpec?.interfaces ?? [])
    try Allocation.keepOnly(db, .mac, owner: row.uid, slots: Set(interfaces.map(\.name)))
  }

  /// A MAC of QEMU's own prefix from a hash, so that it looks random and is the same again.
  private func freeMAC(_ db: Database, seed: String) throws -> String {
    var attempt = 0
    while true {
      // The store keeps them unique.
      var hash = fnv1a("\(seed)/\(attempt)".utf8)
      hash ^= hash >> 32
      let parts = [hash >> 16, hash >> 8, hash].map { value in
        let text = String(value & 0xff, radix: 16)
        return text.count == 1 ? "0" + text : text
      }
      let mac = "52:54:00:" + parts.joined(separator: ":")
      if try Allocation.owner(db, .mac, mac) == nil { return mac }
      attempt += 1
    }
  }

  /// Gives each forward its host port.
  func reservePorts(_ db: Database, _ spec: MachineSpecification, uid: String) throws {
    var slots: Set<String> = []
    let forwards = try spec.forwards { interface in
      try !StoredNetwork(db, interface.network).hasPorts
    }
    for (interface, port) in forwards {
      let slot = port.slot(of: interface)
      slots.insert(slot)
      let old = try Allocation.value(db, .port, owner: uid, slot: slot)
      let prefix = "\(port.networkProtocol):\(port.address):"
      if let host = port.host {
        if old != prefix + "\(host)" { try requireFree(db, port, host, uid: uid) }
        try Allocation.take(db, .port, prefix + "\(host)", owner: uid, slot: slot)
      } else if old?.hasPrefix(prefix) != true {
        let host = try freePort(db, port)
        try Allocation.take(db, .port, prefix + "\(host)", owner: uid, slot: slot)
      }
    }
    try Allocation.keepOnly(db, .port, owner: uid, slots: slots)
  }

  private func requireFree(
    _ db: Database, _ port: MachineSpecification.PortForward, _ host: Int, uid: String
  ) throws {
    guard let number = UInt16(exactly: host), number > 0 else {
      throw EngineError("invalid", "the host port \(host) is out of range")
    }
    // One of another machine is the store's to tell, with its name.
    let value = "\(port.networkProtocol):\(port.address):\(host)"
    if try Allocation.owner(db, .port, value) != nil { return }
    guard HostPort.isFree(port.networkProtocol, address: port.address, port: number) else {
      throw EngineError(
        "in-use", "the host port \(value) is in use by a program outside ingot",
        help: "end that program, choose another port, or leave `host` out")
    }
  }

  private func freePort(_ db: Database, _ port: MachineSpecification.PortForward) throws -> UInt16 {
    for _ in 0..<64 {
      let number = try HostPort.choose(port.networkProtocol, address: port.address)
      let value = "\(port.networkProtocol):\(port.address):\(number)"
      if try Allocation.owner(db, .port, value) == nil { return number }
    }
    throw EngineError(
      "in-use", "no free \(port.networkProtocol) port was found on \(port.address)",
      help: "set `host` of the forward")
  }

  /// Gives rows to the disks the machine owns, and asks for growth where a size is larger.
  func reserveDisks(_ db: Database, _ spec: MachineSpecification, _ change: Change) throws {
    var owned = try StoredDisk.owned(by: change.uid, db).filter { !$0.isRetired }
    if change.verb == .replace {
      for disk in owned { try disk.retire(db) }
      owned = []
    }
    for disk in spec.disks {
      let row = owned.first { $0.name == disk.name }
      if let row, !row.isMade, !change.changesWhole,
        let wanted = try newDisk(db, disk, change), !row.isLike(wanted)
      {
        // It was never whole, and something else is asked for now.
        try row.retire(db)
        try wanted.insert(db)
      } else if let row {
        guard let size = disk.size, disk.isOwned else { continue }
        let wanted = try Self.diskSize(size, of: "disk \(disk.name)")
        try Self.grownSize(of: row, to: wanted, what: "disk \(disk.name) of \(change.id)")
      } else {
        try newDisk(db, disk, change)?.insert(db)
      }
    }
  }

  private func newDisk(
    _ db: Database, _ disk: MachineSpecification.Disk, _ change: Change
  ) throws -> StoredDisk? {
    let uid = host.makeUUID()
    func row(format: DiskFormat, size: Int, image: String?) throws -> StoredDisk {
      StoredDisk(
        uid: uid, owner: change.uid, name: disk.name, pool: disk.pool,
        path: try diskPath(db, pool: disk.pool, uid: uid, format: format.rawValue),
        format: format, virtualSize: size, image: image)
    }
    switch disk.source {
    case .volume(let name):
      _ = try StoredResource.require(db, ResourceID(.volume, name))
      return nil
    case .empty:
      guard let size = disk.size else {
        throw EngineError(
          "invalid", "disk \(disk.name) of \(change.id) has neither image, volume nor size",
          help: "give it one of them")
      }
      let bytes = try Self.diskSize(size, of: "disk \(disk.name)")
      return try row(format: .qcow2, size: bytes, image: nil)
    case .image(let name):
      let image = try currentImage(db, name)
      let smallest = try Self.diskSize(image.built.virtualSize, of: "Image/\(name)")
      let bytes = try disk.size.map { try Self.diskSize($0, of: "disk \(disk.name)") } ?? smallest
      guard bytes >= smallest else {
        throw EngineError(
          "invalid",
          "disk \(disk.name) of \(change.id) is smaller than Image/\(name): "
            + "\(bytes) of \(smallest) bytes", help: "make it at least as large, or leave size out")
      }
      return try row(format: .qcow2, size: bytes, image: image.digest)
    }
  }
}

extension StoredDisk {
  /// Whether it has, or grows to have, the content that another would have.
  fileprivate func isLike(_ other: StoredDisk) -> Bool {
    image == other.image && pool == other.pool && virtualSize <= other.virtualSize
  }
}

extension MachineSpecification.Disk {
  /// Whether the disk goes with its machine.
  var isOwned: Bool { if case .volume = source { false } else { true } }
}

extension MachineSpecification.PortForward {
  /// What tells it from the machine's other forwards.
  func slot(of interface: String) -> String { "\(interface)/\(networkProtocol)/\(guest)" }
}

extension MachineSpecification {
  /// All forwards with their interfaces; a TCP probe gets one where the manifest has none for it
  /// and the first interface can't be reached without.
  ///
  /// - Parameter isAlone: whether an interface is on QEMU's own network.
  func forwards(
    _ isAlone: (Interface) throws -> Bool
  ) rethrows -> [(interface: String, port: PortForward)] {
    var all = interfaces.flatMap { interface in interface.ports.map { (interface.name, $0) } }
    if case .tcp(let guest) = readinessProbe?.check, let first = interfaces.first,
      try isAlone(first),
      !all.contains(where: { $0.1.networkProtocol == "tcp" && $0.1.guest == guest })
    {
      all.append(
        (
          first.name,
          PortForward(address: "127.0.0.1", host: nil, guest: guest, networkProtocol: "tcp")
        ))
    }
    return all
  }
}
