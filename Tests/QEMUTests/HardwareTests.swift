import JSON
import QEMU
import Testing

@Suite("A running guest's hardware")
struct HardwareTests {
  /// What QEMU 7.2 answers for a machine of one processor of three, 512 MiB with room for as much
  /// again, a disk and a network card.
  static let answers: JSONValue = [
    "query-hotpluggable-cpus": [
      processor(core: 2), processor(core: 1), processor(core: 0, isPlugged: true),
    ],
    "query-memory-size-summary": ["base-memory": 536_870_912, "plugged-memory": 0],
    "query-memory-devices": [
      [
        "type": "virtio-mem",
        "data": [
          "memdev": "/objects/ram1", "block-size": 2_097_152, "size": 0, "node": 0,
          "max-size": 536_870_912, "requested-size": 0, "id": "memory",
        ],
      ]
    ],
    "query-balloon": ["actual": 536_870_912],
    "qom-list": .array(
      [
        "type", "port-net-lan", "port-disk-root", "port-spare1", "port-spare0", "balloon",
        "disk-root-device", "net-lan-device", "seed-device", "memory",
      ].map { ["name": .string($0), "type": "child<any>"] }),
    "query-block": [
      [
        "qdev": "/machine/peripheral/disk-root-device/virtio-backend",
        "inserted": ["node-name": "disk-root", "bps": 0, "iops": 100],
      ],
      ["qdev": "/machine/peripheral/empty"],
    ],
    "query-named-block-nodes": .array(
      ["disk-root", "disk-root_file", "disk-root_layer1", "disk-root_layer1_file"].map {
        ["node-name": .string($0)]
      }),
  ]

  private static func processor(core: Int64, isPlugged: Bool = false) -> JSONValue {
    var value: JSONValue = [
      "type": "max-x86_64-cpu", "vcpus-count": 1,
      "props": ["core-id": .integer(core), "thread-id": 0, "node-id": 0, "socket-id": 0],
    ]
    if isPlugged { value["qom-path"] = "/machine/unattached/device[0]" }
    return value
  }

  private var hardware: Hardware {
    get throws { try Hardware(JSONReader(Self.answers)) }
  }

  private static let running = MachineSpec(
    name: "vm", uuid: "u", cpus: 1, maximumCPUs: 3, memory: 512 << 20, maximumMemory: 1 << 30,
    accelerator: .tcg,
    disks: [disk("root", limits: MachineSpec.DiskLimits(operationsPerSecond: 100))],
    interfaces: [MachineSpec.Interface(id: "net-lan", mac: "52:54:00:00:00:01")])

  private static func disk(
    _ name: String, limits: MachineSpec.DiskLimits = .init()
  ) -> MachineSpec.Disk {
    MachineSpec.Disk(
      id: "disk-\(name)", layers: [MachineSpec.Layer(path: "/v/\(name)", format: .qcow2)],
      limits: limits)
  }

  @Test("It is read off QEMU's answers")
  func reading() throws {
    let hardware = try hardware
    #expect(hardware.processors.map { $0.place["core-id"] } == [0, 1, 2])
    #expect(hardware.processorCount == 1)
    #expect(hardware.baseMemory == 512 << 20)
    #expect(hardware.pluggableMemory == 512 << 20)
    #expect(hardware.memoryStep == 2 << 20)
    #expect(hardware.limits["disk-root-device"]?.operationsPerSecond == 100)
    #expect(hardware.ports == ["port-spare0", "port-spare1", "port-disk-root", "port-net-lan"])
    #expect(hardware.freePorts == 2)
    #expect(hardware.has(device: "net-lan-device"))
  }

  @Test("An answer that is missing is an error, but for a balloon's")
  func missing() throws {
    for name in Self.answers.object?.names ?? [] {
      var answers = Self.answers.object ?? [:]
      answers[name] = nil
      if name == "query-balloon" {
        #expect(try Hardware(JSONReader(.object(answers))).balloon == 512 << 20)
      } else {
        #expect(throws: JSONShapeError.self, "\(name)") {
          try Hardware(JSONReader(.object(answers)))
        }
      }
    }
  }

  @Test("A machine that is as it should be needs no change")
  func nothing() throws {
    #expect(try HardwareChange.changes(hardware, from: Self.running, to: Self.running) == [])
  }

  @Test("What differs is changed: what goes goes first, what comes takes its limits and link")
  func changes() throws {
    var after = Self.running
    after.cpus = 3
    after.memory = 768 << 20
    let limits = MachineSpec.DiskLimits(bytesPerSecond: 1 << 20)
    after.disks = [Self.disk("root", limits: limits), Self.disk("data", limits: limits)]
    let second = MachineSpec.Interface(
      id: "net-second", mac: "52:54:00:00:00:02", isConnected: false)
    after.interfaces = [second]
    let hardware = try hardware
    #expect(
      HardwareChange.changes(hardware, from: Self.running, to: after) == [
        .addProcessor(hardware.processors[1]), .addProcessor(hardware.processors[2]),
        .setMemory(requested: 256 << 20, balloon: 512 << 20), .unplugInterface("net-lan"),
        .limitDisk(after.disks[0]), .plugDisk(after.disks[1]), .limitDisk(after.disks[1]),
        .plugInterface(second), .setLink(second),
      ])
    #expect(
      HardwareChange.changes(hardware, from: Self.running, to: after, keeping: ["net-lan"])
        .contains(.unplugInterface("net-lan")) == false)
  }

  @Test(
    "Memory above what it started with is plugged, memory below is ballooned",
    arguments: [
      (400, [HardwareChange.setMemory(requested: 0, balloon: 400 << 20)]),
      (512, []), (514, [.setMemory(requested: 2 << 20, balloon: 512 << 20)]),
      (4096, [.setMemory(requested: 512 << 20, balloon: 512 << 20)]),
    ])
  func memory(mebibytes: Int, changes: [HardwareChange]) throws {
    var after = Self.running
    after.memory = mebibytes << 20
    #expect(try HardwareChange.changes(hardware, from: Self.running, to: after) == changes)
  }

  @Test("Processors are never taken away")
  func fewer() throws {
    var answers = Self.answers
    answers["query-hotpluggable-cpus"] = [
      Self.processor(core: 0, isPlugged: true), Self.processor(core: 1, isPlugged: true),
    ]
    let hardware = try Hardware(JSONReader(answers))
    #expect(HardwareChange.changes(hardware, from: Self.running, to: Self.running) == [])
  }

  @Test("A change becomes QMP commands; nodes that a cut-short attempt left are not made twice")
  func commands() throws {
    var hardware = try hardware
    hardware.blockNodes.insert("disk-data_file")
    let plug = HardwareChange.plugDisk(Self.disk("data")).commands(hardware, port: "port-spare0")
    #expect(plug.map(\.name) == ["blockdev-add", "device_add"])
    #expect(plug.last?.arguments["bus"] == "port-spare0")
    let card = MachineSpec.Interface(
      id: "net-b", mac: "52:54:00:00:00:02",
      backend: .user(
        guestAddress: "10.0.2.20", domain: "lab.example",
        forwards: [MachineSpec.HostForward(hostPort: 8080, guestPort: 80)]))
    #expect(
      HardwareChange.plugInterface(card).commands(hardware, port: "p").first
        == QMPCommand(
          "netdev_add",
          [
            "type": "user", "id": "net-b", "dhcpstart": "10.0.2.20",
            "domainname": "lab.example",
            "hostfwd": [["str": "tcp:127.0.0.1:8080-:80"]],
          ]))
    let onTap = MachineSpec.Interface(
      id: "net-t", mac: "52:54:00:00:00:03",
      backend: .tap(network: "/n/lan", port: "vm/t", mtu: 1500))
    #expect(
      HardwareChange.plugInterface(onTap).commands(hardware, port: "p") == [
        QMPCommand(
          "netdev_add", ["type": "tap", "id": "net-t", "fd": "net-t-tap", "vhost": false],
          tap: QMPCommand.Tap(network: "/n/lan", port: "vm/t")),
        QMPCommand(
          "device_add",
          [
            "driver": "virtio-net-pci", "id": "net-t-device", "bus": "p", "netdev": "net-t",
            "mac": "52:54:00:00:00:03", "host_mtu": 1500,
          ]),
      ])
    #expect(
      HardwareChange.addProcessor(hardware.processors[1]).commands(hardware, port: "").first?
        .arguments["id"] == "cpu-1")
  }

  @Test("What is behind a disk goes from the top of its chain, and only its own")
  func clearing() throws {
    var hardware = try hardware
    hardware.blockNodes.formUnion(["disk-root-2", "disk-rootless_file"])
    #expect(
      HardwareChange.unplugDisk("disk-root").clearing(hardware).map { $0.arguments["node-name"] }
        == ["disk-root", "disk-root_file", "disk-root_layer1", "disk-root_layer1_file"])
  }
}
