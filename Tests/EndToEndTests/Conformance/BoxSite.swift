import JSON
import Monitor
import SystemIO
import TestSupport
import Testing

/// The boot-sector guest, and all that it is made of and uses.
///
/// `box` is cloned from `boot`; `small` and `derived` are behind disks of its own that it never
/// reads, so that their sources can be anything.
enum BoxSite {
  static let manifests: [JSONValue] = [
    manifest("StoragePool", "fast", ["path": "fast"]),
    manifest("ResourcePool", "house", ["cpu": ["limit": 1], "memory": ["limit": "1Gi"]]),
    manifest("ResourcePool", "team", [:]), manifest("Network", "lab", ["mode": "user"]),
    manifest("Network", "yard", ["mode": "isolated", "subnet": "10.90.0.0/24"]),
    manifest("SecurityGroup", "web", ["ingress": [["protocol": "tcp", "ports": [80]]]]),
    image("boot", ["file": ["path": "boot.raw", "format": "raw"]], boot: ["bios"]),
    image("first", ["file": ["path": "boot.raw", "format": "raw"]], boot: ["bios"]),
    image("second", ["file": ["path": "other.raw", "format": "raw"]], boot: ["bios"]),
    image("derived", ["image": "first"], boot: ["bios"]),
    image("small", ["tree": ["path": "tree"]], boot: ["direct"]),
    manifest("Volume", "data", ["size": "16Mi", "pool": "fast"]),
    manifest(
      "VirtualMachine", "box",
      [
        "memory": ["guest": "32Mi"], "firmware": ["boot": "bios"],
        "disks": [
          ["name": "root", "image": "boot"], ["name": "small", "image": "small"],
          ["name": "derived", "image": "derived"], ["name": "data", "volume": "data"],
        ],
        "interfaces": [
          ["name": "lan", "network": "lab", "ports": [["guest": 22]]],
          ["name": "yard", "network": "yard", "securityGroups": ["web"]],
        ],
        "readinessProbe": ["console": ["pattern": "READY"], "timeout": "60s", "period": "1s"],
        "terminationGracePeriod": "10m",
      ]),
  ]

  private static func image(_ name: String, _ source: JSONValue, boot: JSONValue) -> JSONValue {
    manifest("Image", name, ["source": source, "boot": boot])
  }

  /// The files that its images come from, and a stand-in for mmdebstrap that keeps its arguments.
  static func prepare(_ ingot: inout Ingot) async throws {
    let directory = ingot.directory
    try replaceFile("\(directory)/boot.raw", with: BootSector.disk())
    try replaceFile("\(directory)/other.raw", with: BootSector.disk("READY too\r\n"))
    try replaceFile("\(directory)/kernel", with: kernel("6.1.0-18-amd64"))
    try await shell(
      """
      set -eu
      qemu-img convert -f raw -O qcow2 boot.raw boot.qcow2
      for tree in tree tree2; do
        mkdir -p $tree/boot $tree/etc $tree/usr/bin $tree/usr/lib/modules/6.1.0-18-amd64
        cp kernel $tree/boot/vmlinuz-6.1.0-18-amd64
        echo ramdisk > $tree/boot/initrd.img-6.1.0-18-amd64
        echo kernel/drivers/block/virtio_blk.ko > $tree/usr/lib/modules/6.1.0-18-amd64/modules.builtin
        echo $tree | tee $tree/etc/hostname > $tree/etc/issue
        tar -C $tree -cf $tree.tar .
      done
      mkdir bin
      cat > bin/mmdebstrap <<'END'
      #!/bin/sh
      echo "$@" > \(directory)/bootstrapped
      exec cat \(directory)/tree.tar
      END
      chmod 755 bin/mmdebstrap
      """, in: directory)
    ingot.environment = ["PATH": "\(directory)/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
  }

  /// A file as a Linux x86 kernel of a version begins.
  private static func kernel(_ version: String) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 0x400)
    bytes.replaceSubrange(0x202..<0x206, with: Array("HdrS".utf8))
    bytes[0x20e] = 0x80
    let text = Array("\(version) (builder@host) #1".utf8) + [0]
    bytes.replaceSubrange(0x280..<0x280 + text.count, with: text)
    return bytes
  }
}

extension Rehearsal {
  /// Tells one boot from another: by the process, and by how often the boot sector has spoken in it.
  func boots(_ view: MachineView) throws -> String {
    let log = MachineDirectory(view.directory).consoleLog
    let said = String(decoding: try readFile(log, limit: 1 << 24), as: UTF8.self)
    let boots = said.split(separator: "READY", omittingEmptySubsequences: false).count
    return "\(view.processID ?? 0) \(boots)"
  }

  /// What the store holds of a field, by a path below `spec`.
  func stored(_ address: String, _ path: String...) async throws -> String {
    let spec = try await resource(address)["spec"]
    let value = path.reduce(spec) { value, name in value?[name] }
    return value?.string ?? value?.text() ?? "unset"
  }

  /// Whether an image has other content than when it was last asked about, and that the guest still
  /// runs on the content that it was started with.
  func content(of image: String) async throws -> String {
    let digest = try await resource("image/\(image)")["status"]?["details"]?["digest"]?.string ?? ""
    let isKept = try await view().details["disks"] == disksAtFirst
    defer { digests[image] = digest }
    return (digests[image] == digest ? "same" : "other") + (isKept ? "" : ", disks too")
  }

  /// The arguments of the last bootstrap.
  func bootstrapped() throws -> String {
    String(decoding: try readFile("\(ingot.directory)/bootstrapped", limit: 1 << 16), as: UTF8.self)
      .split(separator: "\n").joined()
  }

  /// What a delete by name is refused for.
  func keeps(_ address: String) async throws -> String {
    let answer = try await ingot.run(["delete", address, "--yes", "-o", "json"])
    return try ApplyAnswer(answer).refusals.joined(separator: " ")
  }
}
