import Glibc
import JSON
import Subprocess
import SystemIO
import SystemPackage
import TestSupport
import Testing

// What is done to the running Debian, and what its kernel and systemd make of it.
extension MainJobTests {
  func answersOverSSH(_ ingot: Ingot) async throws {
    // The keys are cloud-init's to place; the agent is up before that.
    _ = try await ingot.run(
      ["exec", "web1", "--timeout", "8m", "--", "cloud-init", "status", "--wait"])
    let words = [
      "ssh", "debian@web1", "--", "-i", "key", "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
      "id -un; hostname; exit 7",
    ]
    let answer = try await ingot.run(words)
    #expect(answer.output == "debian\nweb1\n", "\(answer.errors)")
    #expect(answer.code == 7)
  }

  func obeysItsVerbs(_ ingot: Ingot) async throws {
    let log = ingot.directory + "/events"
    let file = try Descriptor.open(log, [.readWrite, .create, .truncate])
    _ = try await Subprocess.run(
      .path(FilePath(Ingot.executable())), arguments: ["events", "vm/web1", "--watch"],
      environment: .inherit.updating(["INGOT_HOME": ingot.home, "NO_COLOR": "1"]),
      input: .none,
      output: .fileDescriptor(FileDescriptor(rawValue: file.raw), closeAfterSpawningProcess: false),
      error: .discarded
    ) { watcher in
      try await pausesAndResumes(ingot)
      try await reboots(ingot)
      for reason in ["Paused", "Resumed", "Rebooted"] { try await see(reason, in: log) }
      try watcher.send(signal: .interrupt)
    }
  }

  private func pausesAndResumes(_ ingot: Ingot) async throws {
    try await ingot.succeed("pause", "web1")
    #expect(try await ingot.machine("web1")["state"]?.string == "Paused")
    try await ingot.succeed("resume", "web1")
    #expect(try await ingot.machine("web1")["state"]?.string == "Running")
    #expect(try await ingot.succeed("exec", "web1", "--", "echo", "awake") == "awake\n")
  }

  /// What waits for the next boot takes effect.
  private func reboots(_ ingot: Ingot) async throws {
    func boot() async throws -> String {
      try await ingot.succeed("exec", "web1", "--", "cat", "/proc/sys/kernel/random/boot_id")
    }
    let before = try await boot()
    try await ingot.succeed("reboot", "web1")
    try await ingot.succeed("wait", "web1", "--timeout", "8m")
    #expect(try await boot() != before)
    let described = try await ingot.succeed("describe", "vm/web1")
    #expect(!described.contains("memory.guest"), "\(described)")
    let memory = try await ingot.succeed("exec", "web1", "--", "grep", "MemTotal", "/proc/meminfo")
    let kibibytes = memory.split(separator: " ").compactMap { Int($0) }.first ?? 0
    #expect(kibibytes > 540 << 10, "\(memory)")
  }

  /// Waits until a watched file holds a text; it comes within seconds, or never.
  private func see(_ text: String, in path: String) async throws {
    for _ in 0..<240 {
      let said = String(decoding: try readFile(path, limit: 1 << 24), as: UTF8.self)
      if said.contains(text) { return }
      try await Task.sleep(for: .milliseconds(250))
    }
    Issue.record("no event \(text) was seen")
  }

  /// A shutdown by ACPI ends within the grace period, and the root it leaves is clean.
  func stopsCleanly(_ ingot: Ingot) async throws {
    try await ingot.succeed("stop", "web1")
    #expect(try await ingot.machine("web1")["state"]?.string == "Halted")
    let events = try await ingot.succeed("events", "vm/web1")
    let last = try #require(events.split(separator: "\n").last { $0.contains(" Exited ") })
    #expect(last.contains("guest-shutdown"), "\(last)")
    let clone = try #require(
      try ingot.files().first { $0.contains("/pools/") && $0.hasSuffix(".qcow2") })
    let said = try await shell(
      """
      set -eu
      qemu-img check -q \(clone)
      qemu-img convert -f qcow2 -O raw \(clone) root.raw
      e2fsck -fn "$(root root.raw)"
      rm root.raw
      """, in: ingot.directory)
    #expect(!said.contains("Fix? no"), "\(said)")
  }
}
