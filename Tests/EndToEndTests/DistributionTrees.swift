import Glibc
import Synchronization
import SystemIO
import TestSupport
import Testing

/// The trees of real distributions that tests share, each made once.
///
/// Where `INGOT_TEST_TREES` names a directory they are kept there, for the next run.
actor DistributionTrees {
  static let shared = DistributionTrees()

  /// A tree and the tar that it was unpacked from.
  struct Paths: Sendable {
    let tree: String
    let archive: String
  }

  /// What makes Debian 12 a guest that a test can talk to.
  private static let guestPackages = [
    "linux-image-cloud-amd64", "systemd-sysv", "udev", "dbus", "cloud-init", "qemu-guest-agent",
    "cloud-guest-utils", "fdisk", "e2fsprogs", "iproute2", "iputils-ping", "ifupdown",
    "isc-dhcp-client", "openssh-server", "netbase", "attr", "acl",
  ]

  /// Where the trees are; they are removed when the process ends.
  private static let directory = Mutex<String?>(nil)
  private var trees: [String: Task<Paths, any Error>] = [:]

  /// Debian 12 with a kernel, cloud-init, the guest agent and an ssh server.
  func debian12() async throws -> Paths {
    try await tree("bookworm", variant: "minbase", Self.guestPackages)
  }

  /// The essential packages of a suite of Debian's.
  func essential(_ suite: String) async throws -> Paths {
    try await tree(suite, variant: "essential", ["iputils-ping"])
  }

  /// A small Debian for networks, with servers and without an init system.
  func networkGuest() async throws -> String {
    let name = "network-guest"
    if let task = trees[name] { return try await task.value.tree }
    let directory = try Self.makeDirectory()
    let project = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    let task = Task {
      try await shell(
        "'\(project.joined(separator: "/"))/Scripts/network-guest.sh' \(name)", in: directory)
      return Paths(tree: "\(directory)/\(name)", archive: "")
    }
    trees[name] = task
    return try await task.value.tree
  }

  private func tree(
    _ suite: String, variant: String, _ packages: [String]
  ) async throws -> Paths {
    if let task = trees[suite] { return try await task.value }
    let directory = try Self.makeDirectory()
    let task = Task {
      try await shell(
        """
        set -eu
        [ ! -e \(suite) ] || exit 0
        mmdebstrap --quiet --variant=\(variant) --include='\(packages.joined(separator: " "))' \
          --dpkgopt=force-unsafe-io \(suite) \(suite).tar
        rm -rf \(suite).partial
        mkdir \(suite).partial
        tar -C \(suite).partial --xattrs --xattrs-include='*' --acls -xpf \(suite).tar
        mv \(suite).partial \(suite)
        """, in: directory)
      return Paths(tree: "\(directory)/\(suite)", archive: "\(directory)/\(suite).tar")
    }
    trees[suite] = task
    return try await task.value
  }

  private static func makeDirectory() throws -> String {
    try directory.withLock { place in
      if let place { return place }
      if let kept = getenv("INGOT_TEST_TREES") { return String(cString: kept) }
      let path = try Tool.check("mktemp", ["-d", "--tmpdir", "ingot-trees-XXXXXXXX"])
        .split(separator: "\n").joined()
      // Tests as an ordinary user read what is there.
      _ = try Tool.check("chmod", ["755", path])
      place = path
      atexit { DistributionTrees.remove() }
      return path
    }
  }

  private static func remove() {
    guard let path = directory.withLock({ $0 }) else { return }
    // What stays behind is in the temporary directory, and the process ends.
    try? removeTree(path)
  }
}
