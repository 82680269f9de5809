internal import JSON

/// What a QMP command does: its answer, and what happens by it.
struct Effect {
  var answer: JSONValue = [:]
  /// Events told before the answer, by name and data.
  var before: [(String, JSONValue)] = []
  /// Events told after it.
  var after: [(String, JSONValue)] = []
  /// Whether QEMU ends then.
  var ends = false
}

/// The QMP commands the stand-in knows: one entry each, added to as ingot comes to use more.
let commands: [String: @Sendable (Machine, JSONReader) throws -> Effect] = [
  "qmp_capabilities": { _, _ in Effect() },
  "query-version": { _, _ in Effect(answer: version) },
  "query-status": { machine, _ in
    Effect(answer: [
      "running": .bool(machine.status == "running"), "singlestep": false,
      "status": .string(machine.status),
    ])
  },
  "query-chardev": { machine, _ in
    Effect(
      answer: .array(
        machine.options.sockets.keys.sorted().map {
          ["label": .string($0), "frontend-open": .bool($0 != "agent"), "filename": "unix"]
        }))
  },
  "query-cpus-fast": { machine, _ in
    Effect(
      answer: .array(machine.processors.sorted().map { ["cpu-index": .integer($0)] }))
  },
  "query-hotpluggable-cpus": { machine, _ in
    Effect(
      answer: .array(
        (0..<Int64(machine.options.maximumProcessors)).map { place in
          var processor: JSONValue = [
            "type": "max-x86_64-cpu", "vcpus-count": 1,
            "props": ["socket-id": .integer(place), "core-id": 0, "thread-id": 0],
          ]
          if machine.processors.contains(place) {
            processor["qom-path"] = .string("/machine/unattached/device[\(place)]")
          }
          return processor
        }))
  },
  "query-memory-size-summary": { machine, _ in
    Effect(answer: [
      "base-memory": .integer(machine.options.memory),
      "plugged-memory": .integer(machine.requestedMemory),
    ])
  },
  "query-memory-devices": { machine, _ in
    guard let device = machine.devices["memory"] else { return Effect(answer: []) }
    let room = machine.options.backends[device["memdev"]?.string ?? ""] ?? 0
    return Effect(answer: [
      [
        "type": "virtio-mem",
        "data": [
          "id": "memory", "max-size": .integer(room), "block-size": .integer(2 << 20),
          "requested-size": .integer(machine.requestedMemory),
          "size": .integer(machine.requestedMemory),
        ],
      ]
    ])
  },
  "qom-list": { machine, arguments in
    let parts = try arguments.member("path").string().split(separator: "/").map(String.init)
    if parts == ["machine", "peripheral"] {
      return Effect(
        answer: .array(
          machine.devices.keys.sorted().map { ["name": .string($0), "type": "child"] })
      )
    }
    // What sits on a port.
    let isTaken = machine.devices.values.contains { $0["bus"]?.string == parts.last }
    return Effect(answer: isTaken ? [["name": "child[0]", "type": "link"]] : [])
  },
  "qom-set": { machine, arguments in
    guard try arguments.member("property").string() == "requested-size" else {
      throw Problem("Property not found")
    }
    machine.requestedMemory = try arguments.member("value").integer()
    return Effect()
  },
  "query-named-block-nodes": { machine, _ in
    Effect(answer: .array(machine.nodes.keys.sorted().map { ["node-name": .string($0)] }))
  },
  "block_set_io_throttle": { machine, arguments in
    machine.limits[try arguments.member("id").string()] = arguments.value
    return Effect()
  },
  "set_link": { machine, arguments in
    guard machine.devices[try arguments.member("name").string()] != nil else {
      throw Problem("Device not found")
    }
    return Effect()
  },
  "query-balloon": { machine, _ in Effect(answer: ["actual": .integer(machine.balloon)]) },
  "balloon": { machine, arguments in
    machine.balloon = try arguments.member("value").integer()
    return Effect()
  },
  "cont": { machine, _ in
    machine.status = "running"
    return Effect(before: [("RESUME", [:])])
  },
  "stop": { machine, _ in
    machine.status = "paused"
    return Effect(before: [("STOP", [:])])
  },
  "system_reset": { _, _ in
    Effect(after: [("RESET", ["guest": false, "reason": "host-qmp-system-reset"])])
  },
  "system_powerdown": { machine, _ in
    // A paused guest does not see the button.
    guard machine.status == "running" else { return Effect(after: [("POWERDOWN", [:])]) }
    return Effect(
      before: [("POWERDOWN", [:])],
      after: [("SHUTDOWN", ["guest": true, "reason": "guest-shutdown"])], ends: true)
  },
  "quit": { _, _ in
    Effect(after: [("SHUTDOWN", ["guest": false, "reason": "host-qmp-quit"])], ends: true)
  },
  "query-block": { machine, _ in
    Effect(
      answer: .array(
        machine.devices.sorted { $0.key < $1.key }.compactMap { id, device in
          guard let drive = device["drive"]?.string else { return nil }
          let path = "/machine/peripheral/\(id)/virtio-backend"
          let limits = machine.limits[path]
          return [
            "device": "", "qdev": .string(path),
            "inserted": [
              "node-name": .string(drive), "ro": false, "bps": limits?["bps"] ?? 0,
              "iops": limits?["iops"] ?? 0,
            ],
          ]
        }))
  },
  "query-blockstats": { machine, _ in
    Effect(
      answer: .array(machine.nodes.keys.sorted().map { ["node-name": .string($0), "stats": [:]] }))
  },
  "block_resize": { machine, arguments in
    try machine.resize(
      arguments.member("node-name").string(), arguments.member("size").integer())
    return Effect()
  },
  "blockdev-add": { machine, arguments in
    try machine.addNode(arguments.value)
    return Effect()
  },
  "blockdev-del": { machine, arguments in
    try machine.removeNode(arguments.member("node-name").string())
    return Effect()
  },
  "getfd": { machine, arguments in
    guard let descriptor = machine.passed.popLast() else {
      throw Problem("No file descriptor supplied via SCM_RIGHTS")
    }
    machine.named[try arguments.member("fdname").string()] = descriptor
    return Effect()
  },
  "closefd": { machine, arguments in
    let name = try arguments.member("fdname").string()
    guard machine.named.removeValue(forKey: name) != nil else {
      throw Problem("File descriptor named '\(name)' not found")
    }
    return Effect()
  },
  "netdev_add": { machine, arguments in
    try machine.addNetwork(arguments.value)
    return Effect()
  },
  "netdev_del": { machine, arguments in
    try machine.removeNetwork(arguments.member("id").string())
    return Effect()
  },
  "device_add": { machine, arguments in
    try machine.addDevice(arguments.value)
    return Effect()
  },
  "device_del": { machine, arguments in
    let id = try arguments.member("id").string()
    guard machine.devices.removeValue(forKey: id) != nil else {
      throw Problem("Device '\(id)' not found")
    }
    // Twice for virtio: the part within first, then the device.
    return Effect(after: [
      ("DEVICE_DELETED", ["path": .string("/machine/peripheral/\(id)/virtio-backend")]),
      (
        "DEVICE_DELETED",
        ["device": .string(id), "path": .string("/machine/peripheral/\(id)")]
      ),
    ])
  },
  "human-monitor-command": { machine, arguments in
    let words = try arguments.member("command-line").string().split(separator: " ").map(String.init)
    switch words.first {
    case "hostfwd_add" where words.count == 3:
      do {
        try machine.addForward(words[1], words[2])
        return Effect(answer: "")
      } catch {
        return Effect(answer: .string("\(error)\r\n"))
      }
    case "hostfwd_remove" where words.count == 3:
      let isThere = machine.removeForward(words[1], words[2])
      return Effect(
        answer: .string(
          "host forwarding rule for \(words[2]) \(isThere ? "removed" : "not found")\r\n"))
    default: return Effect(answer: .string("unknown command: '\(words.first ?? "")'\r\n"))
    }
  },
]

let version: JSONValue = [
  "qemu": ["major": 7, "minor": 2, "micro": 22], "package": "stand-in",
]
