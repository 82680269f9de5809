public import JSON

// Devices and what stands behind them, as both the command line and hot plug describe them.

extension MachineSpec.Disk {
  /// The device's name in QMP.
  public var deviceID: String { "\(id)-device" }

  /// The block nodes of its chain, each a file or a format, the lowest first.
  var blockNodes: [JSONValue] {
    layers.indices.reversed().flatMap { index in
      let layer = layers[index]
      let node = nodeName(index)
      let readOnly = index > 0 || readOnly || device == .seed
      var format: JSONValue = [
        "driver": .string(layer.format.rawValue), "node-name": .string(node),
        "file": .string("\(node)_file"), "read-only": .bool(readOnly),
      ]
      if discard, !readOnly { format["discard"] = "unmap" }
      if layer.format == .qcow2 {
        // Null, not left out: a backing file that the image names itself is never opened.
        let below = index + 1 < layers.count
        format["backing"] = below ? .string(nodeName(index + 1)) : .null
      }
      let file = fileNode(
        "\(node)_file", layer.path, readOnly: readOnly, discard: discard && !readOnly)
      return [file, format]
    }
  }

  /// With `_`, which no disk's own name has, so that no two disks' nodes are called the same.
  private func nodeName(_ layer: Int) -> String { layer == 0 ? id : "\(id)_layer\(layer)" }

  /// The device; one that can be plugged sits on a port.
  func device(on port: String) -> JSONValue {
    var value: JSONValue
    switch device {
    case .virtio:
      // A write that fails stops the guest: it can go on once there is space again.
      value = [
        "driver": "virtio-blk-pci", "id": .string(deviceID), "bus": .string(port),
        "drive": .string(id), "werror": "stop", "rerror": "stop",
      ]
    case .seed:
      // Not a CD drive: kernels made for the cloud have no driver for one.
      value = [
        "driver": "virtio-blk-pci", "id": .string(deviceID), "bus": "pcie.0", "addr": "0x17",
        "drive": .string(id),
      ]
    }
    if let serial { value["serial"] = .string(serial) }
    if let bootIndex { value["bootindex"] = .integer(Int64(bootIndex)) }
    return value
  }
}

/// The node of a file.
func fileNode(
  _ node: String, _ path: String, readOnly: Bool, discard: Bool = false
) -> JSONValue {
  var value: JSONValue = [
    "driver": "file", "node-name": .string(node), "filename": .string(path),
    "read-only": .bool(readOnly), "locking": "auto",
  ]
  if discard { value["discard"] = "unmap" }
  return value
}

extension MachineSpec.Interface {
  /// The device's name in QMP.
  public var deviceID: String { "\(id)-device" }

  /// The port it sits on where the machine is started with it.
  public var firstPort: String { "port-\(id)" }

  /// The tap its cable leads to; nil where it leads to none.
  public var tap: QMPCommand.Tap? {
    guard case .tap(let network, let port, _) = backend else { return nil }
    return QMPCommand.Tap(network: network, port: port)
  }

  /// The network behind it, as `netdev_add` takes it; a tap's descriptor has been passed before.
  var network: JSONObject {
    switch backend {
    case .user(let subnet, let guestAddress, let domain, let forwards):
      var value: JSONObject = ["type": "user", "id": .string(id)]
      if let subnet { value["net"] = .string(subnet) }
      if let guestAddress { value["dhcpstart"] = .string(guestAddress) }
      if let domain { value["domainname"] = .string(domain) }
      if !forwards.isEmpty {
        value["hostfwd"] = .array(forwards.map { ["str": .string($0.argument)] })
      }
      return value
    case .tap:
      return Self.tapNetwork(id)
    }
  }

  /// A tap behind a card, as `netdev_add` takes it; what `fd` names has been passed before.
  public static func tapNetwork(_ id: String) -> JSONObject {
    ["type": "tap", "id": .string(id), "fd": .string("\(id)-tap"), "vhost": false]
  }

  /// The device on a port.
  public func device(on port: String) -> JSONValue {
    var value: JSONValue = [
      "driver": "virtio-net-pci", "id": .string(deviceID), "bus": .string(port),
      "netdev": .string(id), "mac": .string(mac),
    ]
    if case .tap(_, _, let mtu) = backend { value["host_mtu"] = .integer(Int64(mtu)) }
    return value
  }
}

extension MachineSpec {
  /// The memory device's name in QMP.
  static let memoryDevice = "memory"
  /// Linux plugs memory in blocks of this many bytes; a device of another size wastes its end.
  private static let memoryBlock = 128 << 20

  /// The size of the memory device: what the guest can be given on top of what it starts with.
  var pluggableMemory: Int {
    guard maximumMemory > memory else { return 0 }
    let (blocks, rest) = (maximumMemory - memory).quotientAndRemainder(dividingBy: Self.memoryBlock)
    return (blocks + (rest > 0 ? 1 : 0)) * Self.memoryBlock
  }
}
