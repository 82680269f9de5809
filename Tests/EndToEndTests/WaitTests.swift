import JSON
import SystemIO
import TestSupport
import Testing

/// Waits say how far a guest came and what is missing, and give up where waiting can't help.
@Suite("Waiting") struct WaitTests {
  private static let guests: [(name: String, text: String, stage: String, words: String)] = [
    (
      "panic",
      "[    1.6] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\r\n",
      "KernelPanic", "the kernel panicked: Kernel panic - not syncing: VFS: Unable to mount root fs"
    ),
    (
      "rescue",
      "Welcome to GRUB!\r\n\r\nerror: no such partition.\r\nEntering rescue mode...\r\ngrub rescue> ",
      "GRUBRescue", "GRUB is in its rescue mode: error: no such partition"
    ),
    (
      "emergency",
      "\r\nWelcome to \u{1b}[1mDebian GNU/Linux 12\u{1b}[0m!\r\n"
        + "[\u{1b}[0;1;31mFAILED\u{1b}[0m] Failed to mount /srv.\r\n"
        + "You are in emergency mode. After logging in, type \"journalctl -xb\" to view\r\n"
        + "Give root password for maintenance\r\n(or press Control-D to continue): ",
      "EmergencyMode", "the system is in emergency mode: [FAILED] Failed to mount /srv"
    ),
  ]

  @Test("guests that are stuck are named at once by apply, wait, get and describe")
  func stuck() async throws {
    try await withIngot { ingot in
      try write("site.yaml", Self.guests.map { machine($0.name) }, to: ingot)
      for guest in Self.guests {
        try replaceFile(
          "\(ingot.directory)/\(guest.name).raw", with: BootSector.disk(guest.text))
      }
      let apply = try await ingot.run(["apply", "-f", "site.yaml", "--yes", "--timeout", "10m"])
      #expect(apply.code == 1, "\(apply.errors)")
      for guest in Self.guests {
        #expect(apply.errors.contains(guest.words), "\(apply.errors)")
        #expect(apply.errors.contains("The console of \(guest.name) ends with:"))
        let described = try await ingot.succeed("describe", "vm/\(guest.name)")
        #expect(described.contains("\(guest.stage): \(guest.words)"), "\(described)")
        let machine = try await ingot.machine(guest.name)
        #expect(machine["boot"]?["stage"]?.string == guest.stage)
        #expect(machine["boot"]?["stuck"]?.bool == true)
      }
      let table = try await ingot.succeed("get", "vm")
      for guest in Self.guests { #expect(table.contains(guest.stage), "\(table)") }
      let answer = try await ingot.run(["wait", "panic", "-o", "json", "--timeout", "10m"])
      #expect(answer.code == 1)
      let wait = try #require(try JSONValue(parsing: answer.output)["waits"]?.array?.first)
      #expect(wait["verdict"]?.string == "stuck")
      #expect(wait["missing"]?.array?.first?.string?.hasPrefix("the kernel panicked") == true)
      #expect(
        wait["console"]?.array?.last?.string?.hasPrefix("[    1.6] Kernel panic") == true,
        "\(answer.output)")
      // What is known to be so is waited for without a word.
      try await ingot.succeed("wait", "vm/panic", "--for", "condition=Stuck")
    }
  }

  @Test("a wait for what does not come ends in time, with what is there instead")
  func timesOut() async throws {
    try await withIngot { ingot in
      try replaceFile("\(ingot.directory)/a.raw", with: BootSector.disk("hello\r\n"))
      try write("site.yaml", [machine("a")], to: ingot)
      let apply = try await ingot.run(["apply", "-f", "site.yaml", "--yes", "--timeout", "3s"])
      #expect(apply.code == 4, "\(apply.errors)")
      #expect(
        apply.errors.contains(
          "VirtualMachine/a is Running: the console has not shown 'NEVER' yet; the console shows "
            + "nothing that is known; no guest agent is connected; no address is known"),
        "\(apply.errors)")
      #expect(apply.errors.contains("  | hello"))

      try await ingot.succeed("wait", "a", "--for", "jsonpath={.status.machine.state}=Running")
      let conditions = try await ingot.run(
        ["wait", "vm/a", "image/a", "--for", "condition=Ready=False", "--timeout", "1s"])
      #expect(conditions.code == 4, "\(conditions.errors)")
      #expect(conditions.errors.contains("✓ VirtualMachine/a: met condition Ready=False"))
      #expect(conditions.errors.contains("Image/a: Ready is True"), "\(conditions.errors)")
      try await ingot.succeed("pause", "a")
      try await ingot.succeed("wait", "a", "--for", "condition=Paused")
      let running = try await ingot.run(
        ["wait", "a", "--for", "jsonpath={.status.machine.state}=Running", "--timeout", "1s"])
      #expect(running.code == 4)
      #expect(running.errors.contains("{.status.machine.state} is Paused"), "\(running.errors)")

      async let deletion = ingot.run(["wait", "vm/a", "--for", "delete", "--timeout", "2m"])
      try await ingot.succeed("delete", "vm/a", "--yes")
      #expect(try await deletion.code == 0)
      let gone = try await ingot.run(["wait", "vm/a", "--for", "delete"])
      #expect(gone.code == 0 && gone.errors.contains("There is no VirtualMachine/a."))
      let missing = try await ingot.run(["wait", "vm/a"])
      #expect(missing.code == 1 && missing.errors.contains("there is no VirtualMachine/a"))
    }
  }

  @Test("Debian whose root file system is gone is found at its initramfs' prompt")
  func withoutRoot() async throws {
    let tree = try await DistributionTrees.shared.debian12().tree
    try await withIngot { ingot in
      let text = """
        apiVersion: ingot/v1
        kind: Image
        metadata: {name: debian}
        spec: {source: {tree: {path: \(tree)}}}
        ---
        apiVersion: ingot/v1
        kind: VirtualMachine
        metadata: {name: broken}
        spec:
          runStrategy: Manual
          disks:
            - {name: root, image: debian}
          readinessProbe: {guestAgent: {}, timeout: 10m}
          terminationGracePeriod: 0s

        """
      try write("site.yaml", [text], to: ingot)
      try await ingot.succeed("apply", "-f", "site.yaml", "--yes")
      let machine = try JSONValue(
        parsing: try await ingot.succeed("get", "vm/broken", "-o", "json"))["items"]?.array?.first
      let disk = try #require(
        machine?["status"]?["details"]?["disks"]?.array?.first?["path"]?.string)
      // The file system's superblock goes, and with it the UUID that the kernel is told.
      try await shell("qemu-io -f qcow2 -c 'write -P 0 0 4M' \(disk)", in: ingot.directory)
      try await ingot.succeed("start", "broken")
      let wait = try await ingot.run(["wait", "broken", "-o", "json"])
      #expect(wait.code == 1, "\(wait.errors)")
      let told = try #require(try JSONValue(parsing: wait.output)["waits"]?.array?.first)
      #expect(told["boot"]?["stage"]?.string == "InitramfsShell", "\(wait.output)")
      let evidence = told["boot"]?["evidence"]?.string ?? ""
      #expect(evidence.hasPrefix("ALERT!  UUID=") && evidence.contains("does not exist"))
    }
  }

  private func withIngot(_ body: (Ingot) async throws -> Void) async throws {
    let scratch = try Scratch()
    let ingot = Ingot(home: scratch.file("home"), directory: scratch.path)
    do {
      try await body(ingot)
    } catch {
      _ = try await ingot.run(["destroy", "--all", "--yes"])
      throw error
    }
    try await ingot.succeed("destroy", "--all", "--yes")
  }

  private func write(_ file: String, _ documents: [String], to ingot: Ingot) throws {
    try replaceFile(
      "\(ingot.directory)/\(file)", with: Array(documents.joined(separator: "---\n").utf8))
  }

  private func machine(_ name: String) -> String {
    """
    apiVersion: ingot/v1
    kind: Image
    metadata: {name: \(name)}
    spec:
      source: {file: {path: \(name).raw, format: raw}}
      boot: [bios]
    ---
    apiVersion: ingot/v1
    kind: VirtualMachine
    metadata: {name: \(name)}
    spec:
      memory: {guest: 32Mi}
      firmware: {boot: bios}
      disks:
        - {name: root, image: \(name)}
      readinessProbe: {console: {pattern: NEVER}, timeout: 60s, period: 1s}
      terminationGracePeriod: 0s

    """
  }
}
