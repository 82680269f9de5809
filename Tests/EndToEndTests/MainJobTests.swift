import Glibc
import JSON
import SystemIO
import TestSupport
import Testing

/// The main job on a real distribution: a tree becomes an image, a manifest a running guest.
@Suite("The main job", .serialized) struct MainJobTests {
  @Test("Debian runs, changes as the plan says, grows, obeys its verbs, and leaves nothing")
  func mainJob() async throws {
    let scratch = try Scratch()
    let ingot = Ingot(home: scratch.file("home"), directory: scratch.path)
    do {
      let site = try await Site(tree: DistributionTrees.shared.debian12().tree, scratch)
      try await runs(ingot, site)
      try await answersOverSSH(ingot)
      try await changesAsPlanned(ingot, site)
      try await obeysItsVerbs(ingot)
      try await stopsCleanly(ingot)
      try await leavesNothing(ingot)
    } catch {
      let log = try await ingot.run(["console", "web1", "--log"])
      print("console of web1:\n\(log.output.suffix(4000))")
      _ = try await ingot.run(["destroy", "--all", "--yes"])
      throw error
    }
  }

  private func runs(_ ingot: Ingot, _ site: Site) async throws {
    try site.write(memory: "512Mi", disk: "4Gi")
    try await ingot.succeed("validate", "-f", "site.yaml")
    try await ingot.succeed("apply", "-f", "site.yaml", "--yes", "--timeout", "8m")
    let machine = try await ingot.machine("web1")
    #expect(machine["state"]?.string == "Running")
    #expect(machine["ready"]?.bool == true)
    let plan = try await ingot.run(["plan", "-f", "site.yaml", "--detailed-exitcode"])
    #expect(plan.code == 0, "the second plan is not empty: \(plan.output)")
    #expect(try await ingot.succeed("exec", "web1", "--", "hostname") == "web1\n")
    #expect(try await rootSize(ingot) > 3 << 30, "the root did not grow on the first boot")
  }

  /// The size of the guest's root file system in bytes.
  private func rootSize(_ ingot: Ingot) async throws -> Int {
    let said = try await ingot.succeed("exec", "web1", "--", "df", "-B1", "--output=size", "/")
    return try #require(said.split(whereSeparator: \.isWhitespace).last.flatMap { Int($0) })
  }

  private func changesAsPlanned(_ ingot: Ingot, _ site: Site) async throws {
    let before = try await ingot.machine("web1")["processID"]?.integer
    try site.write(memory: "640Mi", disk: "12Gi")
    let plan = try await ingot.run(["plan", "-f", "site.yaml", "--detailed-exitcode"])
    #expect(plan.code == 2)
    #expect(plan.output.contains("memory.guest") && plan.output.contains("512Mi -> 640Mi"))
    #expect(plan.output.contains("next-boot"))
    try await ingot.succeed("apply", "-f", "site.yaml", "--yes")
    let after = try await ingot.machine("web1")["processID"]?.integer
    #expect(before == after, "a next-boot change must not restart the guest")
    let described = try await ingot.succeed("describe", "vm/web1")
    #expect(described.contains("RestartRequired") && described.contains("memory.guest"))
    let again = try await ingot.run(["plan", "-f", "site.yaml", "--detailed-exitcode"])
    #expect(again.code == 0, "the plan after a staged change is not empty: \(again.output)")
    // The disk grew under the running guest, to more than ten times the image's size.
    try await ingot.succeed("exec", "web1", "--", "/usr/local/sbin/ingot-grow-root")
    #expect(try await rootSize(ingot) > 11 << 30)
  }

  private func leavesNothing(_ ingot: Ingot) async throws {
    try await ingot.succeed("destroy", "--all", "--yes")
    #expect(try ingot.processes().isEmpty)
    #expect(try ingot.things().isEmpty)
    for kind in ["vm", "image", "volume"] {
      #expect(try await ingot.succeed("get", kind, "-o", "name").isEmpty)
    }
  }
}

extension MainJobTests {
  /// The manifest of the test, and the key that opens the guest.
  struct Site {
    private let tree: String
    private let scratch: Scratch
    private let key: String

    init(tree: String, _ scratch: Scratch) throws {
      try Tool.check(
        "ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", scratch.file("key")])
      self.tree = tree
      self.scratch = scratch
      let bytes = try readFile(scratch.file("key.pub"), limit: 1 << 16)
      key = String(decoding: bytes, as: UTF8.self).split(separator: "\n").joined()
    }

    func write(memory: String, disk: String) throws {
      let text = """
        apiVersion: ingot/v1
        kind: Image
        metadata: {name: debian}
        spec:
          source: {tree: {path: \(tree)}}
          mode: template
        ---
        apiVersion: ingot/v1
        kind: VirtualMachine
        metadata: {name: web1}
        spec:
          memory: {guest: \(memory)}
          disks:
            - {name: root, image: debian, size: \(disk)}
          interfaces:
            - {name: lan, ports: [{guest: 22}]}
          cloudInit: {userData: {hostname: web1, ssh_authorized_keys: ["\(key)"]}}
          readinessProbe: {guestAgent: {}, timeout: 8m}
          terminationGracePeriod: 3m

        """
      try replaceFile(scratch.file("site.yaml"), with: Array(text.utf8))
    }
  }
}
