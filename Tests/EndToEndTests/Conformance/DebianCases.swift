import JSON
import QEMU

/// The fields whose effect a guest's own system shows, in the order in which they are changed.
enum DebianCases {
  static let machine = "VirtualMachine/deb"

  static var all: [FieldCase] { atOnce + disks + interfaces + ports + served + probes + nextBoot }

  private static let atOnce = [
    FieldCase(machine, "metadata.labels", to: ["tier": "test"], .none, shows: "test") {
      try await $0.resource("vm/deb")["metadata"]?["labels"]?["tier"]?.string ?? ""
    },
    FieldCase(machine, "metadata.annotations", to: ["note": "kept"], .none, shows: "kept") {
      try await $0.resource("vm/deb")["metadata"]?["annotations"]?["note"]?.string ?? ""
    },
    FieldCase(machine, "cpu.count", to: 2, .live, shows: "2") { try await $0.inGuest("nproc") },
    FieldCase(machine, "memory.guest", to: "448Mi", .live, shows: "448") {
      "\(try await $0.hardware().balloon >> 20)"
    },
    FieldCase(machine, "memory.guest", to: "640Mi", .live, shows: "128 of 128, 640") {
      let hardware = try await $0.hardware()
      let (has, wants) = (hardware.pluggedMemory >> 20, hardware.requestedMemory >> 20)
      return "\(has) of \(wants), \(try await $0.memoryBlocks() * 128)"
    },
    FieldCase("Volume/data", "size", to: "24Mi", .live, shows: "24Mi") {
      try await $0.size(of: "data")
    },
    FieldCase("Volume/data", "size", to: "8Mi", .refused("refused-change")),
  ]

  private static let disks = [
    FieldCase(
      machine, "disks", at: "disks[extra]", to: ["name": "extra", "size": "8Mi"], .live,
      shows: "8Mi"
    ) { try await $0.size(of: "extra") },
    FieldCase(
      machine, "disks[].size", at: "disks[extra].size", to: "16Mi", .live, shows: "16Mi"
    ) { try await $0.size(of: "extra") },
    FieldCase(
      machine, "disks[].size", at: "disks[extra].size", to: "8Mi", .refused("refused-change")),
    FieldCase(
      machine, "disks[].limits.bandwidth", at: "disks[extra].limits.bandwidth", to: "1Mi", .live,
      paths: ["disks[extra].limits"], shows: "1048576"
    ) { "\(try await $0.hardware().limits["disk-extra-device"]?.bytesPerSecond ?? 0)" },
    FieldCase(
      machine, "disks[].limits.iops", at: "disks[extra].limits.iops", to: 100, .live, shows: "100"
    ) { "\(try await $0.hardware().limits["disk-extra-device"]?.operationsPerSecond ?? 0)" },
    FieldCase(
      machine, "disks[].name", at: "disks[extra].name", to: "other", .live,
      paths: ["disks[extra]", "disks[other]"], shows: "data other root spare"
    ) { try await $0.disks() },
    FieldCase(
      machine, "disks[].pool", at: "disks[other].pool", to: "second", .refused("refused-change")),
    FieldCase(
      machine, "disks[].image", at: "disks[other].image", to: "debian",
      and: [Edit(machine, "disks[other].size", to: "4Gi")], .refused("replace-forbidden")),
    FieldCase(machine, "disks", at: "disks[other]", to: nil, .live, shows: "data root spare") {
      try await $0.disks()
    },
  ]

  private static let interfaces = [
    FieldCase(
      machine, "interfaces", at: "interfaces[third]", to: ["name": "third"], .live, shows: "4"
    ) { try await $0.cards() },
    FieldCase(
      machine, "interfaces[].name", at: "interfaces[third].name", to: "fourth", .live,
      paths: ["interfaces[third]", "interfaces[fourth]"], shows: "4 true"
    ) { "\(try await $0.cards()) \(try await $0.hardware().has(device: "net-fourth-device"))" },
    FieldCase(
      machine, "interfaces[].link", at: "interfaces[fourth].link", to: "down", .live, shows: "1"
    ) { try await $0.unplugged() },
    FieldCase(
      machine, "interfaces[].link", at: "interfaces[fourth].link", to: "up", .live, shows: "0"
    ) { try await $0.unplugged() },
    FieldCase(machine, "interfaces", at: "interfaces[fourth]", to: nil, .live, shows: "3") {
      try await $0.cards()
    },
  ]

  private static let ports = [
    FieldCase(
      machine, "interfaces[].ports", at: "interfaces[lan].ports[0]", to: ["guest": 22], .live,
      paths: ["interfaces[lan].ports[22/tcp]"], shows: "SSH"
    ) {
      let place = try await $0.hostPort("lan/tcp/22")
      return try await $0.greeting("127.0.0.1", place)
    },
    FieldCase(
      machine, "interfaces[].ports[].host", at: "interfaces[lan].ports[0].host",
      to: .integer(Int64(Ports.first)), .live, paths: ["interfaces[lan].ports[22/tcp].host"],
      shows: "SSH"
    ) { try await $0.greeting("127.0.0.1", Ports.first) },
    FieldCase(
      machine, "interfaces[].ports[].address", at: "interfaces[lan].ports[0].address",
      to: "127.0.0.2", .live, paths: ["interfaces[lan].ports[22/tcp].address"],
      shows: "SSH, nobody"
    ) {
      let new = try await $0.greeting("127.0.0.2", Ports.first)
      return "\(new), \(try await $0.greeting("127.0.0.1", Ports.first))"
    },
    FieldCase(
      machine, "interfaces[].ports[].guest", at: "interfaces[lan].ports[0].guest", to: 2222, .live,
      paths: ["interfaces[lan].ports[22/tcp]", "interfaces[lan].ports[2222/tcp]"], shows: "nothing"
    ) { try await $0.greeting("127.0.0.2", Ports.first) },
    FieldCase(
      machine, "interfaces[].ports[].protocol", at: "interfaces[lan].ports[0].protocol", to: "udp",
      .live, paths: ["interfaces[lan].ports[2222/tcp]", "interfaces[lan].ports[2222/udp]"],
      shows: "nobody, bound"
    ) {
      let old = try await $0.greeting("127.0.0.2", Ports.first)
      return "\(old), \(try Ports.isBound(udp: Ports.first) ? "bound" : "free")"
    },
  ]

  private static let probes = [
    FieldCase(
      machine, "readinessProbe.exec.command", at: "readinessProbe.exec",
      to: ["command": ["test", "-e", "/run/never"]],
      and: [Edit(machine, "readinessProbe.guestAgent", to: nil)], .live,
      paths: ["readinessProbe.exec", "readinessProbe.guestAgent"], shows: "false"
    ) { try await $0.isReady() },
    FieldCase(
      machine, "readinessProbe.exec.command", to: ["test", "-e", "/run"], .live, shows: "true"
    ) { try await $0.isReady() },
    FieldCase(
      machine, "readinessProbe.tcp.port", at: "readinessProbe.tcp", to: ["port": 23],
      and: [Edit(machine, "readinessProbe.exec", to: nil)], .live,
      paths: ["readinessProbe.exec", "readinessProbe.tcp"], shows: "false"
    ) { try await $0.isReady() },
    FieldCase(machine, "readinessProbe.tcp.port", to: 22, .live, shows: "true") {
      try await $0.isReady()
    },
    FieldCase(
      machine, "readinessProbe.guestAgent", to: [:],
      and: [Edit(machine, "readinessProbe.tcp", to: nil)], .live,
      paths: ["readinessProbe.guestAgent", "readinessProbe.tcp"], shows: "true"
    ) { try await $0.isReady() },
    FieldCase(machine, "readinessProbe.period", to: "2s", .live, shows: "2000") {
      try await $0.probePeriod()
    },
  ]
}
