import Glibc
import JSON
import SystemIO
import TestSupport
import Testing

/// The main job on a real distribution: a tree becomes an image, a manifest a running guest.
@Suite("The main job", .serialized) struct MainJobTests {
  @Test("Debian is built, runs, changes as the plan says, equals its tree, and leaves nothing")
  func mainJob() async throws {
    let scratch = try Scratch()
    let ingot = Ingot(home: scratch.file("home"), directory: scratch.path)
    do {
      try await runs(ingot)
      try await changesAsPlanned(ingot)
      try await equalsItsTree(ingot)
      try await leavesNothing(ingot)
    } catch {
      for name in ["web1", "judge"] {
        let log = try await ingot.run(["console", name, "--log"])
        print("console of \(name):\n\(log.output.suffix(4000))")
      }
      _ = try await ingot.run(["destroy", "--all", "--yes"])
      throw error
    }
  }

  private func runs(_ ingot: Ingot) async throws {
    try await prepareTree(ingot)
    try replaceFile(ingot.directory + "/site.yaml", with: Array(Self.site.utf8))
    try await ingot.succeed("validate", "-f", "site.yaml")
    try await ingot.succeed("apply", "-f", "site.yaml", "--yes", "--timeout", "8m")
    let machines = try JSONValue(parsing: try await ingot.succeed("get", "vm", "-o", "json"))
    let status = try #require(machines["items"]?.array?.first?["status"]?["machine"])
    #expect(status["state"]?.string == "Running")
    #expect(status["ready"]?.bool == true)
    let plan = try await ingot.run(["plan", "-f", "site.yaml", "--detailed-exitcode"])
    #expect(plan.code == 0, "the second plan is not empty: \(plan.output)")
    #expect(try await ingot.succeed("exec", "web1", "--", "hostname") == "web1\n")
  }

  private func changesAsPlanned(_ ingot: Ingot) async throws {
    func process() async throws -> Int64? {
      let value = try JSONValue(parsing: try await ingot.succeed("get", "vm/web1", "-o", "json"))
      return (value["items"]?.array?.first ?? value)["status"]?["machine"]?["processID"]?.integer
    }
    let before = try await process()
    let more = Self.site.replacing("guest: 512Mi", with: "guest: 640Mi")
    try replaceFile(ingot.directory + "/site.yaml", with: Array(more.utf8))
    let plan = try await ingot.run(["plan", "-f", "site.yaml", "--detailed-exitcode"])
    #expect(plan.code == 2)
    #expect(plan.output.contains("memory.guest") && plan.output.contains("512Mi -> 640Mi"))
    #expect(plan.output.contains("next-boot"))
    try await ingot.succeed("apply", "-f", "site.yaml", "--yes")
    #expect(try await process() == before, "a next-boot change must not restart the guest")
    let described = try await ingot.succeed("describe", "vm/web1")
    #expect(described.contains("RestartRequired") && described.contains("memory.guest"))
    let again = try await ingot.run(["plan", "-f", "site.yaml", "--detailed-exitcode"])
    #expect(again.code == 0, "the plan after a staged change is not empty: \(again.output)")
  }

  private func leavesNothing(_ ingot: Ingot) async throws {
    try await ingot.succeed("destroy", "--all", "--yes")
    #expect(try ingot.processes().isEmpty)
    #expect(try ingot.things().isEmpty)
    for kind in ["vm", "image", "volume"] {
      #expect(try await ingot.succeed("get", kind, "-o", "name").isEmpty)
    }
  }

  static let site = """
    apiVersion: ingot/v1
    kind: Image
    metadata: {name: debian}
    spec:
      source: {tree: {path: tree}}
      mode: template
    ---
    apiVersion: ingot/v1
    kind: VirtualMachine
    metadata: {name: web1}
    spec:
      memory: {guest: 512Mi}
      disks:
        - {name: root, image: debian, size: 4Gi}
      interfaces:
        - {name: lan, ports: [{guest: 22}]}
      cloudInit: {userData: {hostname: web1}}
      readinessProbe: {guestAgent: {}, timeout: 8m}

    """
}
