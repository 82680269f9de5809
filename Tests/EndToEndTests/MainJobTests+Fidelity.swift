import Glibc
import Subprocess
import SystemIO
import SystemPackage
import Testing

extension MainJobTests {
  /// Makes the tree: a Debian, and in it a folder with every sort of file and attribute.
  func prepareTree(_ ingot: Ingot) async throws {
    let packages = [
      "linux-image-cloud-amd64", "systemd-sysv", "udev", "dbus", "cloud-init", "qemu-guest-agent",
      "cloud-guest-utils", "fdisk", "e2fsprogs", "iproute2", "netbase", "attr", "acl",
    ]
    try await shell(
      """
      set -eu
      mmdebstrap --quiet --variant=minbase --include=\(packages.joined(separator: ",")) \
        bookworm debian.tar
      mkdir tree
      tar -C tree --xattrs --xattrs-include='*' --acls -xpf debian.tar
      rm debian.tar
      mkdir tree/attributes
      cd tree/attributes
      echo plain > plain
      ln plain hard-link
      ln -s plain symbolic-link
      ln -s $(printf 'x%.0s' $(seq 200)) long-symbolic-link
      mkfifo fifo
      mknod block b 259 70000
      mknod character c 5 1
      mkdir sticky; chmod 1777 sticky
      echo owned > owned; chown 70000:4000000000 owned; chmod 4751 owned
      truncate -s 5G sparse; echo end >> sparse
      printf 'middle' | dd of=sparse bs=1 seek=1073741824 conv=notrunc status=none
      echo attribute > attribute; setfattr -n user.colour -v green attribute
      setfattr -n trusted.secret -v 0x00ff attribute
      setcap cap_net_raw+ep plain 2>/dev/null || setfattr -n security.capability \
        -v 0x0100000200200000000000000000000000000000 owned
      echo listed > listed; setfacl -m u:70000:r-x,g:12:rw- listed
      mkdir inherited; setfacl -d -m u:70000:rwx inherited
      echo old > old; touch -d '1950-06-01 12:00:00.123456789' old
      echo late > late; touch -d '2150-06-01 12:00:00.987654321' late
      echo name > "$(printf 'n\\303\\244me \\377\\nline')"
      mkdir many; cd many; seq -f 'entry-%05.0f' 5000 | xargs touch
      """, in: ingot.directory)
  }

  /// Converts the tree, attaches the image to a guest, and compares what the guest's kernel sees
  /// there with the tree, entry by entry.
  func equalsItsTree(_ ingot: Ingot) async throws {
    try await ingot.succeed(
      "convert", "tree", "-o", "copy.qcow2", "--mode", "migrate", "--report", "report.json")
    try await shell(
      """
      set -eu
      qemu-img check -q copy.qcow2
      qemu-img convert -f qcow2 -O raw copy.qcow2 copy.raw
      start=$(sfdisk -J copy.raw | grep -o '"start": *[0-9]*' | grep -o '[0-9]*' | tail -n 1)
      size=$(sfdisk -J copy.raw | grep -o '"size": *[0-9]*' | grep -o '[0-9]*' | tail -n 1)
      dd if=copy.raw of=root.raw bs=512 skip=$start count=$size conv=sparse status=none
      e2fsck -fn root.raw
      rm copy.raw root.raw
      """, in: ingot.directory)
    try replaceFile(ingot.directory + "/judge.yaml", with: Array(Self.judge.utf8))
    try await ingot.succeed("apply", "-f", "judge.yaml", "--yes", "--timeout", "8m")
    try await ingot.succeed(
      "exec", "judge", "--", "sh", "-c",
      "mkdir -p /run/copy && mount -o ro,noload $(ls /dev/vdb? | tail -n 1) /run/copy")
    for listing in Self.listings {
      let inside = try await ingot.succeed(
        "exec", "judge", "--timeout", "10m", "--", "sh", "-c",
        "cd /run/copy && { \(listing); } | cat -v")
      let outside = try await shell("cd tree && { \(listing); } | cat -v", in: ingot.directory)
      expectSame(inside, outside, listing)
    }
  }

  /// Compares two listings, leaving out what the converter says that it changed.
  private func expectSame(_ inside: String, _ outside: String, _ listing: String) {
    // lost+found is the file system's own, the content of /run is that of a running system; the
    // rest are the fix-ups of mode migrate and the folders that they stand in.
    let own = ["lost+found", "etc/fstab", "ingot-grow-root", "local-fs.target.wants|", "run/lock"]
    let folders = ["etc/systemd/system|", "run|"]
    func lines(_ text: String) -> Set<Substring> {
      Set(
        text.split(separator: "\n").filter { line in
          !own.contains { line.contains($0) } && !folders.contains { line.hasPrefix($0) }
        })
    }
    let (a, b) = (lines(inside), lines(outside))
    let extra = a.subtracting(b).sorted().prefix(20).joined(separator: "\n")
    let missing = b.subtracting(a).sorted().prefix(20).joined(separator: "\n")
    #expect(b.count > 10)
    // Compared before, or thousands of lines would be printed.
    let isSame = a == b
    #expect(isSame, "\(listing)\nonly in the image:\n\(extra)\nonly in the tree:\n\(missing)")
  }

  /// What is compared: metadata to the nanosecond, content, extended attributes and ACLs.
  static let listings = [
    "find . -mindepth 1 -not -path './attributes/many/*' "
      + "-printf '%P|%y|%m|%U|%G|%n|%T@|%l|' \\( -type f -printf '%s\\n' -o -printf '-\\n' \\) "
      + "| LC_ALL=C sort | sed 's/||-$/|-/'",
    "find attributes/many -type f | wc -l; seq 20 | sed 's/^/filler /'",
    "find . -type f -not -name sparse -print0 | LC_ALL=C sort -z | xargs -0 sha256sum",
    "getfattr -R -P -h -d -m - -e hex . 2>/dev/null | LC_ALL=C sort; seq 20 | sed 's/^/filler /'",
    "stat -c '%n %t:%T' attributes/block attributes/character; "
      + "[ $(stat -c %b attributes/sparse) -lt 100 ] && echo sparse; "
      + "tail -c 4 attributes/sparse; seq 20 | sed 's/^/filler /'",
  ]

  static let judge = """
    apiVersion: ingot/v1
    kind: Image
    metadata: {name: copy}
    spec:
      source: {file: {path: copy.qcow2, format: qcow2}}
      boot: [bios]
    ---
    apiVersion: ingot/v1
    kind: VirtualMachine
    metadata: {name: judge}
    spec:
      memory: {guest: 768Mi}
      disks:
        - {name: root, image: debian, size: 4Gi}
        - {name: copy, image: copy}
      readinessProbe: {guestAgent: {}, timeout: 8m}

    """

  /// Runs a script of the test's own; it must succeed.
  @discardableResult
  func shell(
    _ script: String, in directory: String, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> String {
    let result = try await Subprocess.run(
      .name("bash"), arguments: ["-c", script],
      environment: .inherit.updating(["LC_ALL": "C"]), workingDirectory: FilePath(directory),
      output: .string(limit: 1 << 26), error: .string(limit: 1 << 24))
    try #require(
      result.terminationStatus.isSuccess, "\(result.standardError)",
      sourceLocation: sourceLocation)
    return result.standardOutput
  }
}
