internal import Glibc
internal import JSON
internal import SystemIO

/// What the stand-in's guest is made of, as QMP shows and changes it.
final class Machine {
  let options: LaunchOptions
  /// `prelaunch`, `running` or `paused`.
  var status: String
  /// Block nodes by name, as they were added, and the files they hold open and locked.
  var nodes: [String: JSONValue] = [:]
  private var files: [String: Descriptor] = [:]
  /// Devices by id, as they were added.
  var devices: [String: JSONValue] = [:]
  /// Sockets of forwarded ports, by network and forward.
  var networks: [String: [String: Descriptor]] = [:]
  /// Taps by network.
  private var taps: [String: Descriptor] = [:]
  /// Descriptors that came through the QMP socket and have no name yet.
  var passed: [Descriptor] = []
  /// Those that `getfd` named.
  var named: [String: Descriptor] = [:]
  var balloon: Int64
  /// What the memory device gives.
  var requestedMemory: Int64 = 0
  /// The places of processors that are filled.
  var processors: Set<Int64>
  /// Limits of disks, by device, as they were set.
  var limits: [String: JSONValue] = [:]

  init(_ options: LaunchOptions) throws {
    self.options = options
    status = options.isStopped ? "prelaunch" : "running"
    balloon = options.memory
    processors = Set((0..<options.processors).map(Int64.init))
    for block in options.blocks { try addNode(block) }
    for network in options.networks {
      networks[network.id] = [:]
      for forward in network.forwards { try addForward(network.id, forward) }
      if let tap = network.tap {
        guard fcntl(tap, F_GETFD) >= 0 else { throw Problem("fd=\(tap): Bad file descriptor") }
        taps[network.id] = Descriptor(owning: tap, name: network.id)
      }
    }
    for device in options.devices { try addDevice(device) }
  }

  /// Adds a block node; a file's is opened, and locked as QEMU locks it: against other writers.
  func addNode(_ node: JSONValue) throws {
    guard let name = node["node-name"]?.string else { throw Problem("'node-name' is missing") }
    guard nodes[name] == nil else { throw Problem("Duplicate nodes with node-name='\(name)'") }
    if let path = node["filename"]?.string {
      let isReadOnly = node["read-only"]?.bool == true
      let file: Descriptor
      do {
        file = try Descriptor.open(path, isReadOnly ? .read : .readWrite)
      } catch {
        throw Problem("Could not open '\(path)': \(error)")
      }
      if !isReadOnly {
        // Bytes 100 to 299 are where QEMU's own locks are (block/file-posix.c).
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_start = 100
        lock.l_len = 200
        let setOpenFileLock: Int32 = 37
        guard fcntl(file.raw, setOpenFileLock, &lock) == 0 else {
          throw Problem("Failed to get \"write\" lock: is another process using '\(path)'?")
        }
      }
      files[name] = file
    } else if let below = node["file"]?.string, nodes[below] == nil {
      throw Problem("Cannot find device='' nor node-name='\(below)'")
    }
    nodes[name] = node
  }

  func removeNode(_ name: String) throws {
    guard nodes.removeValue(forKey: name) != nil else {
      throw Problem("Failed to find node with node-name='\(name)'")
    }
    files[name] = nil
  }

  /// Grows what a node shows; a qcow2's header is the real QEMU's affair.
  func resize(_ name: String, _ size: Int64) throws {
    guard let node = nodes[name] else {
      throw Problem("Cannot find device='' nor node-name='\(name)'")
    }
    guard let file = files[node["file"]?.string ?? ""], let size = Int(exactly: size) else {
      return
    }
    if node["driver"]?.string == "qcow2" {
      // The virtual size: eight bytes from byte 24 on, the highest first.
      let bytes = (0..<8).map { UInt8(truncatingIfNeeded: size >> (56 - 8 * $0)) }
      try bytes.withUnsafeBytes { try file.write($0, at: 24) }
    } else {
      try file.truncate(to: size)
    }
  }

  /// Adds what stands behind a network card: `netdev_add`.
  func addNetwork(_ network: JSONValue) throws {
    guard let id = network["id"]?.string else { throw Problem("'id' is missing") }
    guard networks[id] == nil else { throw Problem("Duplicate ID '\(id)' for netdev") }
    if network["type"]?.string == "tap" {
      let name = network["fd"]?.string ?? ""
      guard let tap = named.removeValue(forKey: name) else {
        throw Problem("File descriptor named '\(name)' has not been found")
      }
      taps[id] = tap
    }
    networks[id] = [:]
    for forward in network["hostfwd"]?.array ?? [] {
      try addForward(id, forward["str"]?.string ?? "")
    }
  }

  func removeNetwork(_ id: String) throws {
    guard networks.removeValue(forKey: id) != nil else {
      throw Problem("Device '\(id)' not found")
    }
    taps[id] = nil
  }

  func addDevice(_ device: JSONValue) throws {
    if let place = device["socket-id"]?.integer {
      guard processors.insert(place).inserted else { throw Problem("CPU \(place) exists") }
    }
    guard let id = device["id"]?.string else { return }
    if let bus = device["bus"]?.string, bus != "pcie.0", bus != "serial.0" {
      let other = devices.first { $0.value["bus"]?.string == bus }
      if let other { throw Problem("PCI: slot 0 of \(bus) is in use by \(other.key)") }
    }
    guard devices[id] == nil else { throw Problem("Duplicate device ID '\(id)'") }
    if let drive = device["drive"]?.string, nodes[drive] == nil {
      throw Problem("Property 'virtio-blk-device.drive' can't find value '\(drive)'")
    }
    if let network = device["netdev"]?.string, networks[network] == nil {
      throw Problem("Property 'virtio-net-pci.netdev' can't find value '\(network)'")
    }
    devices[id] = device
  }

  /// Binds a port of the host: `tcp:127.0.0.1:8080-:80`.
  func addForward(_ network: String, _ forward: String) throws {
    guard networks[network] != nil else { throw Problem("unknown network '\(network)'") }
    let name = String(forward.split(separator: "-").first ?? "")
    let parts = name.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 3, let port = UInt16(parts[2]) else {
      throw Problem("Invalid host forwarding rule '\(forward)'")
    }
    let type = parts[0] == "udp" ? SOCK_DGRAM : SOCK_STREAM
    let raw = socket(AF_INET, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), 0)
    let descriptor = Descriptor(owning: raw, name: name)
    var yes: Int32 = 1
    setsockopt(raw, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    inet_pton(AF_INET, parts[1], &address.sin_addr)
    let bound = withUnsafeBytes(of: &address) { bytes in
      bind(
        raw, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress,
        socklen_t(MemoryLayout<sockaddr_in>.size))
    }
    guard bound == 0, parts[0] == "udp" || listen(raw, 1) == 0 else {
      throw Problem("Could not set up host forwarding rule '\(forward)'")
    }
    networks[network]?[name] = descriptor
  }

  /// - Returns: whether the port was forwarded.
  func removeForward(_ network: String, _ name: String) -> Bool {
    networks[network]?.removeValue(forKey: name) != nil
  }
}
