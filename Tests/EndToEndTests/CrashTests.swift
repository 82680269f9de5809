import Glibc
import JSON
import SystemIO
import TestSupport
import Testing

/// Kills commands, monitors and guests at random points, and looks for what was lost or left over.
@Suite("Killed at random points") struct CrashTests {
  @Test("the next apply reaches the declared state and nothing is lost or orphaned")
  func randomKills() async throws {
    let rounds = number("INGOT_TEST_ROUNDS") ?? 50
    let seed = number("INGOT_TEST_SEED").map(UInt64.init) ?? UInt64(time(nil))
    print("crash test: \(rounds) rounds with seed \(seed) (INGOT_TEST_SEED repeats them)")
    let scratch = try Scratch()
    let ingot = Ingot(home: scratch.file("home"), directory: scratch.path)
    _ = try scratch.write("boot.raw", BootSector.disk())
    do {
      var random = SeededGenerator(seed: seed)
      for round in 1...rounds { try await self.round(round, ingot, &random) }
      try await ingot.succeed("destroy", "--all", "--yes")
    } catch {
      _ = try await ingot.run(["destroy", "--all", "--yes"])
      throw error
    }
    #expect(try ingot.processes().isEmpty)
    #expect(try ingot.things().isEmpty)
  }

  private func round(_ round: Int, _ ingot: Ingot, _ random: inout SeededGenerator) async throws {
    let variant = Int.random(in: 0...1, using: &random)
    try replaceFile(ingot.directory + "/site.yaml", with: Array(manifest(variant).utf8))
    let command =
      Int.random(in: 0..<4, using: &random) == 0
      ? ["destroy", "--all", "--yes"] : ["apply", "-f", "site.yaml", "--yes", "--restart"]
    let delay = Int.random(in: 0...1500, using: &random)
    let victim = Int.random(in: 0..<3, using: &random)
    let label = "round \(round): \(command[0]) variant \(variant), victim \(victim) at \(delay) ms"

    if victim == 0 {
      try await ingot.runAndKill(command, afterMilliseconds: delay)
    } else {
      async let answer = ingot.run(command)
      try await Task.sleep(for: .milliseconds(delay))
      let name = victim == 1 ? "ingot-monitor" : "qemu-system-x86_64"
      let processes = try ingot.processes().filter { $0.name == name }
      if let process = processes.randomElement(using: &random) {
        kill(process.id, SIGKILL)
        // A busy machine takes its time over it.
        while try ingot.processes().contains(where: { $0.id == process.id }) {
          try await Task.sleep(for: .milliseconds(5))
        }
      }
      // The command may fail: its guest was shot. What counts is what the next one makes of it.
      _ = try await answer
    }

    let again = try await ingot.run(["apply", "-f", "site.yaml", "--yes", "--restart"])
    try #require(
      again.code == 0, "\(label): the next apply ended with \(again.code):\n\(again.errors)")
    let plan = try await ingot.run(["plan", "-f", "site.yaml", "--detailed-exitcode"])
    try #require(plan.code == 0, "\(label): the plan after it is not empty:\n\(plan.output)")
    let processes = try ingot.processes().map(\.name).sorted()
    let expected = ["ingot-monitor", "ingot-monitor", "qemu-system-x86_64", "qemu-system-x86_64"]
    try #require(processes == expected, "\(label): processes are \(processes)")
  }

  private func number(_ variable: String) -> Int? {
    getenv(variable).flatMap { Int(String(cString: $0)) }
  }

  private func manifest(_ variant: Int) -> String {
    var text = """
      apiVersion: ingot/v1
      kind: Image
      metadata: {name: boot}
      spec:
        source: {file: {path: boot.raw, format: raw}}
        boot: [bios]
      ---
      apiVersion: ingot/v1
      kind: Volume
      metadata: {name: data}
      spec: {size: 16Mi}

      """
    for name in ["a", "b"] {
      text += """
        ---
        apiVersion: ingot/v1
        kind: VirtualMachine
        metadata: {name: \(name), labels: {variant: "\(variant)"}}
        spec:
          cpu: {count: 1}
          memory: {guest: \(variant == 0 ? "32Mi" : "48Mi")}
          firmware: {boot: bios}
          disks:
            - {name: root, image: boot}
        \(name == "a" ? "    - {name: data, volume: data}" : "")
          interfaces:
            - {name: lan, ports: [{guest: 22}]}
          readinessProbe: {console: {pattern: READY}, timeout: 60s, period: 1s}
          terminationGracePeriod: 1s

        """
    }
    return text
  }
}
