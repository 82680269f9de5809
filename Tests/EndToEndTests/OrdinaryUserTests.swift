import Glibc
import Subprocess
import SystemIO
import SystemPackage
import TestSupport
import Testing

/// Nothing that a user does with machines of their own needs root.
@Suite("An ordinary user") struct OrdinaryUserTests {
  @Test("applies, plans, stops, starts and destroys")
  func wholeLife() async throws {
    let scratch = try Scratch()
    _ = try scratch.write("boot.raw", BootSector.disk())
    try scratch.write("site.yaml", Self.site)
    let nobody = "65534"
    if getuid() == 0 {
      // The build's folder may be closed to others, so the programs are copied.
      let built = String(try Ingot.executable().dropLast("/ingot".count))
      try await shell(
        """
        cp \(built)/ingot \(built)/ingot-monitor . && mkdir home
        chmod 755 . ingot ingot-monitor && chmod 644 site.yaml boot.raw && chown \(nobody):\(nobody) home
        """, in: scratch.path)
    }
    let user = User(scratch: scratch, id: getuid() == 0 ? nobody : nil)
    do {
      try await user.succeed("apply", "-f", "site.yaml", "--yes")
      try await user.succeed("plan", "-f", "site.yaml", "--detailed-exitcode")
      try await user.succeed("stop", "box", "--grace", "0s")
      try await user.succeed("start", "box")
      try await user.succeed("wait", "box")
      #expect(try await user.succeed("get", "vm", "-o", "name") == "vm/box\n")
    } catch {
      _ = try await user.run(["destroy", "--all", "--yes"])
      throw error
    }
    try await user.succeed("destroy", "--all", "--yes")
    let ingot = Ingot(home: scratch.file("home"), directory: scratch.path)
    #expect(try ingot.processes().isEmpty)
    #expect(try ingot.things().isEmpty)
  }

  /// Someone without rights; this process' own user where it has none itself.
  private struct User {
    let scratch: Scratch
    let id: String?

    func run(_ words: [String]) async throws -> Ingot.Answer {
      let ingot = id == nil ? try Ingot.executable() : scratch.file("ingot")
      var command = [ingot] + words
      if let id {
        command = ["setpriv", "--reuid", id, "--regid", id, "--clear-groups"] + command
      }
      // INGOT_HOME and XDG_STATE_HOME unset: what a user has by default.
      let result = try await Subprocess.run(
        .name("env"),
        arguments: Arguments(
          ["-u", "INGOT_HOME", "-u", "XDG_STATE_HOME", "HOME=\(scratch.file("home"))"] + command),
        workingDirectory: FilePath(scratch.path), output: .string(limit: 1 << 20),
        error: .string(limit: 1 << 20))
      var code: Int32 = 128
      if case .exited(let status) = result.terminationStatus { code = status }
      return Ingot.Answer(code: code, output: result.standardOutput, errors: result.standardError)
    }

    @discardableResult
    func succeed(_ words: String..., sourceLocation: SourceLocation = #_sourceLocation)
      async throws -> String
    {
      let answer = try await run(words)
      try #require(
        answer.code == 0, "\(words) ended with \(answer.code):\n\(answer.output)\(answer.errors)",
        sourceLocation: sourceLocation)
      return answer.output
    }
  }

  private static let site = """
    apiVersion: ingot/v1
    kind: Image
    metadata: {name: boot}
    spec:
      source: {file: {path: boot.raw, format: raw}}
      boot: [bios]
    ---
    apiVersion: ingot/v1
    kind: VirtualMachine
    metadata: {name: box}
    spec:
      memory: {guest: 32Mi}
      firmware: {boot: bios}
      disks:
        - {name: root, image: boot}
      interfaces:
        - {name: lan, ports: [{guest: 22}]}
      readinessProbe: {console: {pattern: READY}, timeout: 2m, period: 1s}

    """
}
