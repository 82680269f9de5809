import Glibc
import JSON
import Monitor
import SystemIO
import TestSupport
import Testing

/// What the Debian guest is made of at first, and what it is asked about itself.
enum DebianSite {
  static func manifests(tree: String) -> [JSONValue] {
    [
      manifest("Image", "debian", ["source": ["tree": ["path": .string(tree)]]]),
      manifest("StoragePool", "second", [:]),
      manifest("Network", "lab", ["mode": "user", "subnet": "10.44.0.0/24"]),
      manifest("Network", "side", ["mode": "user", "subnet": "10.55.0.0/24"]),
      manifest(
        "Network", "house",
        [
          "mode": "nat", "subnet": "10.88.0.0/24", "ipv6": ["subnet": "fd00:88::/64"],
          "dns": ["domain": "house.test"],
        ]), manifest("SecurityGroup", "walled", ["default": ["egress": "Deny"]]),
      manifest("Volume", "data", ["size": "16Mi"]), manifest("Volume", "second", ["size": "12Mi"]),
      manifest(
        "VirtualMachine", "deb",
        [
          "cpu": ["count": 1, "max": 2], "memory": ["guest": "512Mi", "max": "768Mi"],
          "disks": [
            ["name": "root", "image": "debian", "size": "4Gi"],
            ["name": "data", "volume": "data"], ["name": "spare", "size": "4Mi"],
          ],
          "interfaces": [
            ["name": "lan", "network": "lab"], ["name": "wan"],
            ["name": "house", "network": "house", "mac": .string(houseMAC)],
          ],
          "cloudInit": [
            "secrets": [
              ["name": "by-file", "file": "old-word"], ["name": "by-env", "env": "OLD_WORD"],
              ["name": "by-command", "command": ["echo", "old-command"]],
              ["name": "idle", "command": ["echo", "idle"]],
            ], "userData": userData("more="),
          ], "readinessProbe": ["guestAgent": [:], "timeout": "8m", "period": "1s"],
          "terminationGracePeriod": "2m",
        ]),
    ]
  }

  /// The address of its card on a network that ingot serves.
  static let houseMAC = "52:54:00:88:00:01"

  /// Has each boot leave the secrets in a file.
  static func userData(_ more: String) -> JSONValue {
    let words =
      "file=${secret.by-file} env=${secret.by-env} command=${secret.by-command} \(more)"
    return ["bootcmd": [["sh", "-c", .string("echo '\(words)' > /run/words")]]]
  }

  /// The files and variables that its secrets come from.
  static func prepare(_ ingot: inout Ingot) throws {
    ingot.environment = ["OLD_WORD": "old-env", "NEW_WORD": "new-env"]
    for (name, text) in [("old-word", "old-file"), ("new-word", "new-file")] {
      try replaceFile("\(ingot.directory)/\(name)", with: Array(text.utf8))
    }
  }
}

/// A manifest of `spec`.
func manifest(_ kind: String, _ name: String, _ spec: JSONValue) -> JSONValue {
  [
    "apiVersion": "ingot/v1", "kind": .string(kind), "metadata": ["name": .string(name)],
    "spec": spec,
  ]
}

extension Rehearsal {
  /// The size of a disk, as the guest knows it by its serial number; 0 until udev has named it.
  func size(of disk: String) async throws -> String {
    let sectors = try await inGuest(
      """
      link=/dev/disk/by-id/virtio-\(disk)
      if [ -e $link ]; then cat /sys/block/$(basename $(readlink $link))/size; else echo 0; fi
      """)
    return "\((Int(sectors) ?? 0) >> 11)Mi"
  }

  /// The serial numbers of its disks, sorted.
  func disks() async throws -> String {
    try await inGuest("ls /dev/disk/by-id | sed -n 's/^virtio-\\([a-z]*\\)$/\\1/p' | sort | xargs")
  }

  /// How many blocks of 128 MiB its kernel uses.
  func memoryBlocks() async throws -> Int {
    Int(try await inGuest("cat /sys/devices/system/memory/memory*/online | grep -c 1")) ?? 0
  }

  /// How many network cards it has.
  func cards() async throws -> String { try await inGuest("ls /sys/class/net | grep -vc '^lo$'") }

  /// How many of them have no cable.
  func unplugged() async throws -> String {
    try await inGuest(
      """
      for card in /sys/class/net/e*; do ip link set ${card##*/} up; cat $card/carrier; done |
        grep -c 0 || true
      """)
  }

  /// What the last boot wrote of a secret.
  func word(_ name: String) async throws -> String {
    try await inGuest("sed -n 's/.*\(name)=\\([a-z-]*\\).*/\\1/p' /run/words || true")
  }

  /// What DHCP told the card that comes up at boot; the last lease counts.
  func lease(_ line: String) async throws -> String {
    try await inGuest(
      "sed -n 's/^ *\(line) \\(.*\\);$/\\1/p' /var/lib/dhcp/dhclient.*.leases | tail -n 1")
  }

  func isReady() async throws -> String { "\(try await monitor { try $0.status().isReady })" }
}

/// Ports of the host.
enum Ports {
  /// One that is likely to be free: below those that the kernel gives out by itself.
  static let first = UInt16(20_000 + getpid() % 10_000)

  static func isBound(udp port: UInt16) throws -> Bool {
    let digits = String(port, radix: 16, uppercase: true)
    let suffix = ":" + String(repeating: "0", count: 4 - digits.count) + digits
    let table = String(decoding: try readFile("/proc/net/udp", limit: 1 << 22), as: UTF8.self)
    return table.split(separator: "\n").contains { line in
      line.split(separator: " ").dropFirst().first?.hasSuffix(suffix) == true
    }
  }
}
