import JSON
import QEMU

// What waits for the next boot; all of it is seen after one.
extension DebianCases {
  static var nextBoot: [FieldCase] { hardware + network + servedAnew + seed + [last] }

  private static let hardware = [
    FieldCase(machine, "cpu.count", to: 1, .nextBoot, shows: "1") { try await $0.inGuest("nproc") },
    FieldCase(machine, "cpu.max", to: 3, .nextBoot, shows: "3") {
      "\(try await $0.hardware().processors.count)"
    },
    FieldCase(machine, "cpu.model", to: "Westmere", .nextBoot, shows: "Westmere") {
      try await $0.inGuest("grep -o Westmere /proc/cpuinfo | head -n 1")
    },
    FieldCase(machine, "memory.max", to: "1Gi", .nextBoot, shows: "256") {
      "\(try await $0.hardware().pluggableMemory >> 20)"
    },
    FieldCase(
      machine, "disks[].volume", at: "disks[data].volume", to: "second", .nextBoot, shows: "12Mi"
    ) { try await $0.size(of: "data") },
    FieldCase(
      machine, "disks",
      to: [
        ["name": "root", "image": "debian", "size": "4Gi"], ["name": "spare", "size": "4Mi"],
        ["name": "data", "volume": "second"],
      ], .nextBoot, shows: "root spare data"
    ) {
      try await $0.inGuest("for disk in /sys/block/vd*; do cat $disk/serial; echo; done | xargs")
    },
  ]

  private static let network = [
    FieldCase(
      machine, "interfaces[].mac", at: "interfaces[wan].mac", to: .string(mac), .nextBoot,
      shows: mac
    ) { try await $0.inGuest("grep -h \(mac) /sys/class/net/*/address") },
    FieldCase(
      machine, "interfaces[].network", at: "interfaces[wan].network", to: "side", .nextBoot,
      shows: "/24 of 10.55.0"
    ) { try await $0.inGuest("\(byDHCP) | sed 's,\\(.*\\)[.][0-9]*\\(/.*\\),\\2 of \\1,'") },
    FieldCase(
      machine, "interfaces[].address", at: "interfaces[wan].address", to: "10.55.0.77", .nextBoot,
      shows: "10.55.0.77/24"
    ) { try await $0.inGuest(byDHCP) },
    FieldCase("Network/lab", "subnet", to: "10.66.0.0/24", .nextBoot, shows: "10.66.0.2") {
      try await $0.lease("option routers")
    },
    FieldCase(
      "Network/lab", "dhcp.range", at: "dhcp", to: ["range": ["10.66.0.40", "10.66.0.60"]],
      .nextBoot, shows: "10.66.0.40"
    ) { try await $0.lease("fixed-address") },
    FieldCase(
      "Network/lab", "dns.domain", at: "dns", to: ["domain": "lab.example"], .nextBoot,
      shows: "\"lab.example\""
    ) { try await $0.lease("option domain-name") },
  ]

  private static let mac = "52:54:00:c0:ff:ee"

  /// A script that has the card with this address get one from DHCP and prints that.
  private static let byDHCP = """
    card=$(basename $(dirname $(grep -l \(mac) /sys/class/net/*/address)))
    dhclient -1 -lf /run/wan.leases $card >/dev/null 2>&1 && ip -4 -o address show $card | awk '{print $4}'
    """

  private static let seed = [
    FieldCase(
      machine, "cloudInit.secrets[].file", at: "cloudInit.secrets[by-file].file", to: "new-word",
      .nextBoot, shows: "new-file"
    ) { try await $0.word("file") },
    FieldCase(
      machine, "cloudInit.secrets[].env", at: "cloudInit.secrets[by-env].env", to: "NEW_WORD",
      .nextBoot, shows: "new-env"
    ) { try await $0.word("env") },
    FieldCase(
      machine, "cloudInit.secrets[].command", at: "cloudInit.secrets[by-command].command",
      to: ["echo", "new-command"], .nextBoot, shows: "new-command"
    ) { try await $0.word("command") },
    FieldCase(
      machine, "cloudInit.secrets", at: "cloudInit.secrets[more]",
      to: ["name": "more", "command": ["echo", "a-new-one"]], .nextBoot, shows: "a-new-one"
    ) { try await $0.word("more") },
    FieldCase(
      machine, "cloudInit.secrets[].name", at: "cloudInit.secrets[idle].name", to: "asleep",
      .nextBoot, paths: ["cloudInit.secrets[idle]", "cloudInit.secrets[asleep]"]),
    FieldCase(
      machine, "cloudInit.userData", to: DebianSite.userData("more=${secret.more}"), .nextBoot,
      shows: "a-new-one"
    ) { try await $0.word("more") },
    FieldCase(
      machine, "cloudInit.networkData",
      to: ["version": 2, "ethernets": ["wan": ["match": ["macaddress": .string(mac)]]]], .nextBoot,
      shows: mac
    ) {
      try await $0.inGuest(
        "mount -o ro /dev/disk/by-label/CIDATA /mnt; grep -o \(mac) /mnt/network-config; umount /mnt"
      )
    },
  ]

  /// More than the guest has room for would wait too; with the option its boot comes at once.
  private static let last = FieldCase(
    machine, "memory.guest", to: "800Mi", .restart, options: ["--restart"], shows: "800"
  ) { "\(try await $0.hardware().baseMemory >> 20)" }
}
