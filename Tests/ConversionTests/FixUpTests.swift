import FileTree
import Resources
import Testing

@testable import Conversion

@Suite struct FixUpTests {
  private static let uuid = "11111111-2222-8333-8444-555555555555"

  private func guest(
    _ files: [(String, String)], _ mode: ImageSpecification.Mode = .template
  ) throws -> Guest {
    var tree = FileTree()
    for (path, text) in files {
      try tree.writeFile(path, Array(text.utf8), FileAttributes(permissions: 0o644))
    }
    return Guest(
      tree: tree, mode: mode, partitions: [Guest.Partition(target: "/", uuid: Self.uuid)],
      hostName: "localhost", holdsMounts: false,
      time: FileTime(seconds: 1000))
  }

  @Test(
    "fstab names the root and nothing that is not there",
    arguments: [
      ("", ImageSpecification.Mode.template, ["UUID=\(uuid)\t/\text4\terrors=remount-ro\t0\t1"]),
      (
        "/dev/sda1 / xfs inode64 0 0\n", .template,
        ["UUID=\(uuid)\t/\text4\terrors=remount-ro\t0\t0"]
      ),
      ("LABEL=x / ext4 noatime 0 1\n", .migrate, ["UUID=\(uuid)\t/\text4\tnoatime\t0\t1"]),
      (
        "UUID=\(uuid) / ext4 noatime 0 1\n", .migrate, ["UUID=\(uuid) / ext4 noatime 0 1"]
      ),
      (
        "UUID=\(uuid) / ext4 noatime 0 1\nUUID=1 none swap sw 0 0\n", .migrate,
        ["UUID=\(uuid) / ext4 noatime 0 1", "# UUID=1 none swap sw 0 0"]
      ),
      (
        "UUID=\(uuid) / ext4 noatime 0 1\n/dev/sdb1 /data xfs defaults 0 2\n", .migrate,
        ["UUID=\(uuid) / ext4 noatime 0 1", "/dev/sdb1\t/data\txfs\tnofail\t0\t2"]
      ),
      (
        "UUID=\(uuid) / ext4 noatime 0 1\n/dev/sdb1 /data xfs defaults 0 2\n", .template,
        ["UUID=\(uuid) / ext4 noatime 0 1", "# /dev/sdb1 /data xfs defaults 0 2"]
      ),
      (
        "# mine\nUUID=\(uuid) / ext4 noatime 0 1\ntmpfs /tmp tmpfs defaults 0 0\n", .template,
        ["# mine", "UUID=\(uuid) / ext4 noatime 0 1", "tmpfs /tmp tmpfs defaults 0 0"]
      ),
    ])
  func fstab(old: String, mode: ImageSpecification.Mode, new: [String]) throws {
    var guest = try guest([("etc/fstab", old)], mode)
    try fixFstab(&guest)
    #expect(guest.tree.lines(of: "etc/fstab") == new)
    #expect(guest.fixUps.isEmpty == (old == new.joined(separator: "\n") + "\n"))
  }

  @Test("a template loses its identity, and a machine that moves keeps it")
  func identity() throws {
    let files = [
      ("usr/lib/systemd/systemd", "x"), ("etc/machine-id", "abc\n"),
      ("var/lib/dbus/machine-id", "abc\n"), ("etc/hostname", "old\n"),
      ("etc/ssh/ssh_host_rsa_key", "k"), ("etc/ssh/sshd_config", "c"),
      ("var/lib/systemd/random-seed", "s"), ("var/lib/dhcp/dhclient.eth0.leases", "l"),
      ("usr/sbin/sshd", "x"), ("usr/bin/ssh-keygen", "x"),
    ]
    var template = try guest(files)
    for fix in allFixUps { try fix(&template) }
    #expect(template.tree.bytes(of: "etc/machine-id") == [])
    #expect(template.tree.lines(of: "etc/hostname") == ["localhost"])
    #expect(!template.tree.has("etc/ssh/ssh_host_rsa_key"))
    #expect(template.tree.has("etc/ssh/sshd_config"))
    #expect(!template.tree.has("var/lib/systemd/random-seed"))
    #expect(!template.tree.has("var/lib/dhcp/dhclient.eth0.leases"))
    let units = "etc/systemd/system/multi-user.target.wants"
    #expect(template.tree.has("\(units)/ingot-ssh-host-keys.service"))
    let link = try #require(template.tree.lookUp("var/lib/dbus/machine-id"))
    #expect(template.tree.kind(of: link) == .symbolicLink(Array("/etc/machine-id".utf8)))

    var moved = try guest(files, .migrate)
    for fix in allFixUps { try fix(&moved) }
    for (path, text) in files { #expect(moved.tree.bytes(of: path) == Array(text.utf8)) }
  }

  @Test("a link out of the tree is followed inside it")
  func linkInside() throws {
    var guest = try guest([("run/x/hostname", "old\n")])
    try guest.makeLink("etc/hostname", to: "../../../../run/x/hostname")
    try fixHostName(&guest)
    #expect(guest.tree.lines(of: "run/x/hostname") == ["localhost"])
  }

  @Test("what fix-ups remove never reaches the disk as a stream")
  func removedIsHeld() {
    for path in [
      "etc/ssh/ssh_host_rsa_key", "var/lib/systemd/random-seed", "var/lib/dhcp/a.leases",
      "var/lib/systemd/credential.secret", "var/lib/cloud/instances/i/user-data.txt",
      "etc/machine-id", "var/lib/NetworkManager/a.lease", "var/lib/dbus/machine-id",
    ] {
      #expect(HeldFiles.holds(path.split(separator: "/").map { Array($0.utf8) }), "\(path)")
    }
  }

  @Test("the root grows by the guest's own tools, and it is said where it can't")
  func growth() throws {
    let tools = ["usr/sbin/sfdisk", "usr/sbin/resize2fs", "usr/bin/findmnt", "usr/bin/lsblk"]
    var able = try guest((tools + ["usr/lib/systemd/systemd"]).map { ($0, "x") })
    try fixRootGrowth(&able)
    let wants = "etc/systemd/system/local-fs.target.wants/ingot-grow-root.service"
    #expect(able.tree.has(wants) && able.warnings.isEmpty)
    var unable = try guest([("usr/lib/systemd/systemd", "x")])
    try fixRootGrowth(&unable)
    #expect(unable.warnings.count == 1)
  }
}
