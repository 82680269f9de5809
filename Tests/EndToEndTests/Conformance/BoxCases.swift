import JSON
import QEMU

/// The fields of the machine that a boot sector is enough for, and of all that it uses.
enum BoxCases {
  static let machine = "VirtualMachine/box"

  static var all: [FieldCase] {
    pools + storage + network + images + sources + common + policies + served + [replaced]
      + servedAnew + firmware + [halted]
  }

  /// What every kind has; in the end all of it is as before.
  private static let common: [FieldCase] = [
    ("StoragePool/fast", "pool/fast"), ("ResourcePool/team", "rp/team"), ("Network/lab", "net/lab"),
    ("SecurityGroup/web", "sg/web"),
    ("Image/boot", "image/boot"), ("Volume/data", "vol/data"), (machine, "vm/box"),
  ].flatMap { subject, address -> [FieldCase] in
    [
      FieldCase(
        subject, "metadata.labels", to: ["tier": "test"], .none, shows: #"{"tier":"test"}"#
      ) { try await $0.resource(address)["metadata"]?["labels"]?.text() ?? "" },
      FieldCase(
        subject, "metadata.annotations", to: ["note": "kept"], .none, shows: #"{"note":"kept"}"#
      ) { try await $0.resource(address)["metadata"]?["annotations"]?.text() ?? "" },
      FieldCase(
        subject, "lifecycle.deletionPolicy", to: "Retain", .none, shows: "retained"
      ) { try await $0.keeps(address) },
      FieldCase(
        subject, "lifecycle.deletionProtection", to: true, .none, shows: "protected"
      ) { try await $0.keeps(address) },
      FieldCase(
        subject, "lifecycle.deletionProtection", at: "lifecycle", to: nil, .none,
        paths: ["lifecycle.deletionProtection", "lifecycle.deletionPolicy"]),
    ]
  }

  private static let storage = [
    FieldCase("StoragePool/fast", "type", to: "lvm", .invalid("invalid-value")),
    FieldCase("StoragePool/fast", "path", to: "slow", .refused("refused-change")),
    FieldCase("Volume/data", "pool", to: "default", .refused("refused-change")),
    FieldCase("Volume/data", "format", to: "raw", .refused("refused-change")),
  ]

  private static let network = [
    FieldCase("Network/lab", "bridge", to: "br0", .invalid("conflicting-fields"))
  ]

  private static let policies = [
    // Its guest ignores the power button: each restart below would take ten minutes.
    FieldCase(machine, "terminationGracePeriod", to: "0s", .live),
    FieldCase(machine, "updatePolicy.restart", to: "Never", .none, shows: "restart-forbidden") {
      try await $0.refusals(Edit(machine, "cpu.max", to: 2))
    },
    FieldCase(machine, "updatePolicy.restart", to: "Automatic", .none),
    // Which shows in this, that no option asks for.
    FieldCase(machine, "cpu.max", to: 2, .restart, shows: "2") {
      "\(try await $0.hardware().processors.count)"
    },
    FieldCase(machine, "updatePolicy.restart", to: nil, .none),
    FieldCase(machine, "updatePolicy.replace", to: "Allow", .none, shows: "") {
      try await $0.refusals(Edit(machine, "disks[root].image", to: "second"))
    },
    FieldCase(
      machine, "readinessProbe.console.pattern", to: "NEVER", .live, shows: "false"
    ) { try await $0.isReady() },
    FieldCase(machine, "readinessProbe.timeout", to: "1s", .live, shows: "4") {
      "\(try await $0.ingot.run(["wait", "box"]).code)"
    },
    FieldCase(machine, "readinessProbe.timeout", to: "60s", .live),
    FieldCase(
      machine, "readinessProbe.console.pattern", to: "READY", .live, shows: "true"
    ) { try await $0.isReady() },
    FieldCase(machine, "runStrategy", to: "RerunOnFailure", .live, shows: "RerunOnFailure") {
      try await $0.runStrategy()
    },
  ]

  private static let replaced = FieldCase(
    machine, "disks[].image", at: "disks[root].image", to: "second", .replace, shows: "READY too"
  ) {
    try await $0.ingot.run(["console", "box", "--log"]).output.contains("READY too")
      ? "READY too" : ""
  }

  private static let firmware = [
    FieldCase(machine, "firmware.boot", to: "uefi", .nextBoot, shows: "true") {
      "\(try await $0.arguments().contains("pflash0=firmware-code"))"
    },
    // What OVMF says of a disk that it can't boot from.
    FieldCase(machine, "readinessProbe.console.pattern", to: "BdsDxe", .live),
    FieldCase(machine, "cpu.model", to: "Westmere", .restart, options: ["--restart"], shows: "true")
    {
      "\(try await $0.arguments().contains("-cpu Westmere"))"
    },
  ]

  private static let halted = FieldCase(
    machine, "runStrategy", to: "Halted", .restart, shows: "Halted"
  ) { try await $0.view().state ?? "" }
}
