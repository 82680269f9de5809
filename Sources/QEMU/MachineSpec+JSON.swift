public import JSON

extension MachineSpec {
  /// The machine as JSON, for the file its monitor reads.
  public var json: JSONValue {
    [
      "name": .string(name), "uuid": .string(uuid), "cpus": .integer(Int64(cpus)),
      "maximumCPUs": .integer(Int64(maximumCPUs)), "cpuModel": JSONValue(cpuModel),
      "memory": .integer(Int64(memory)), "maximumMemory": .integer(Int64(maximumMemory)),
      "accelerator": .string(accelerator.rawValue), "firmware": firmware.json,
      "disks": .array(disks.map(\.json)), "interfaces": .array(interfaces.map(\.json)),
      "spareSlots": .integer(Int64(spareSlots)),
    ]
  }

  /// Reads what `json` gave.
  public init(_ reader: JSONReader) throws(JSONShapeError) {
    var disks: [Disk] = []
    for item in try reader.member("disks").list() { disks.append(try Disk(item)) }
    var interfaces: [Interface] = []
    for item in try reader.member("interfaces").list() { interfaces.append(try Interface(item)) }
    self.init(
      name: try reader.member("name").string(), uuid: try reader.member("uuid").string(),
      cpus: try reader.member("cpus").integer(1...4096),
      maximumCPUs: try reader.member("maximumCPUs").integer(1...4096),
      cpuModel: try reader.optional("cpuModel")?.string(),
      memory: try reader.member("memory").integer(1 ... .max),
      maximumMemory: try reader.member("maximumMemory").integer(1 ... .max),
      accelerator: try reader.member("accelerator").choice(Accelerator.self),
      firmware: try Firmware(reader.member("firmware")), disks: disks, interfaces: interfaces,
      spareSlots: try reader.member("spareSlots").integer(0...8))
  }
}

extension MachineSpec.Firmware {
  fileprivate var json: JSONValue {
    switch self {
    case .direct(let kernel, let initrd, let commandLine):
      [
        "boot": "direct", "kernel": .string(kernel), "initrd": JSONValue(initrd),
        "commandLine": .string(commandLine),
      ]
    case .bios: ["boot": "bios"]
    case .uefi(let code, let variables):
      ["boot": "uefi", "code": .string(code), "variables": .string(variables)]
    }
  }

  fileprivate init(_ reader: JSONReader) throws(JSONShapeError) {
    switch try reader.member("boot").string() {
    case "direct":
      self = .direct(
        kernel: try reader.member("kernel").string(),
        initrd: try reader.optional("initrd")?.string(),
        commandLine: try reader.member("commandLine").string())
    case "bios": self = .bios
    case "uefi":
      self = .uefi(
        code: try reader.member("code").string(),
        variables: try reader.member("variables").string())
    default:
      throw JSONShapeError(path: reader.path + ".boot", expected: "direct, bios or uefi")
    }
  }
}

extension MachineSpec.Disk {
  fileprivate var json: JSONValue {
    [
      "id": .string(id),
      "layers": .array(
        layers.map { ["path": .string($0.path), "format": .string($0.format.rawValue)] }),
      "device": .string(device.rawValue), "readOnly": .bool(readOnly),
      "serial": JSONValue(serial), "discard": .bool(discard), "bootIndex": JSONValue(bootIndex),
      "bytesPerSecond": .integer(Int64(limits.bytesPerSecond)),
      "operationsPerSecond": .integer(Int64(limits.operationsPerSecond)),
    ]
  }

  fileprivate init(_ reader: JSONReader) throws(JSONShapeError) {
    var layers: [MachineSpec.Layer] = []
    for item in try reader.member("layers").list() {
      layers.append(
        MachineSpec.Layer(
          path: try item.member("path").string(),
          format: try item.member("format").choice(MachineSpec.Layer.Format.self)))
    }
    self.init(
      id: try reader.member("id").string(), layers: layers,
      device: try reader.member("device").choice(Device.self),
      readOnly: try reader.member("readOnly").bool(),
      serial: try reader.optional("serial")?.string(),
      discard: try reader.member("discard").bool(),
      bootIndex: try reader.optional("bootIndex")?.integer(0...1000),
      limits: MachineSpec.DiskLimits(
        bytesPerSecond: try reader.optional("bytesPerSecond")?.integer(0 ... .max) ?? 0,
        operationsPerSecond: try reader.optional("operationsPerSecond")?.integer(0 ... .max) ?? 0))
  }
}

extension MachineSpec.Interface {
  fileprivate var json: JSONValue {
    var value = backend.json
    value["id"] = .string(id)
    value["mac"] = .string(mac)
    value["isConnected"] = .bool(isConnected)
    return value
  }

  fileprivate init(_ reader: JSONReader) throws(JSONShapeError) {
    self.init(
      id: try reader.member("id").string(), mac: try reader.member("mac").string(),
      backend: try Backend(reader),
      isConnected: try reader.optional("isConnected")?.bool() ?? true)
  }
}

extension MachineSpec.Interface.Backend {
  /// The members it adds to its card's.
  fileprivate var json: JSONValue {
    switch self {
    case .user(let subnet, let guestAddress, let domain, let forwards):
      [
        "backend": "user", "subnet": JSONValue(subnet), "guestAddress": JSONValue(guestAddress),
        "domain": JSONValue(domain), "forwards": .array(forwards.map(\.json)),
      ]
    case .tap(let network, let port, let mtu):
      [
        "backend": "tap", "network": .string(network), "port": .string(port),
        "mtu": .integer(Int64(mtu)),
      ]
    }
  }

  fileprivate init(_ reader: JSONReader) throws(JSONShapeError) {
    // A configuration from before there were taps does not say.
    switch try reader.optional("backend")?.string() ?? "user" {
    case "user":
      var forwards: [MachineSpec.HostForward] = []
      for item in try reader.member("forwards").list() {
        forwards.append(try MachineSpec.HostForward(item))
      }
      self = .user(
        subnet: try reader.optional("subnet")?.string(),
        guestAddress: try reader.optional("guestAddress")?.string(),
        domain: try reader.optional("domain")?.string(), forwards: forwards)
    case "tap":
      self = .tap(
        network: try reader.member("network").string(), port: try reader.member("port").string(),
        mtu: try reader.member("mtu").integer(68...65_535))
    default: throw JSONShapeError(path: reader.path + ".backend", expected: "user or tap")
    }
  }
}

extension MachineSpec.HostForward {
  /// The forward as JSON.
  public var json: JSONValue {
    [
      "transport": .string(transport.rawValue), "hostAddress": .string(hostAddress),
      "hostPort": .integer(Int64(hostPort)), "guestPort": .integer(Int64(guestPort)),
    ]
  }

  /// Reads what `json` gave.
  public init(_ reader: JSONReader) throws(JSONShapeError) {
    self.init(
      transport: try reader.member("transport").choice(Transport.self),
      hostAddress: try reader.member("hostAddress").string(),
      hostPort: try reader.member("hostPort").integer(1 ... .max),
      guestPort: try reader.member("guestPort").integer(1 ... .max))
  }
}
