import Foundation
import JSON
import TestSupport
import Testing

/// Secrets on their way from the manifest to the seed disc, by the executable.
@Suite("The executable's secrets")
struct SecretBinaryTests {
  private let scratch: Scratch
  private let value = "correct-horse-battery-staple"

  init() throws {
    scratch = try Scratch()
    try scratch.write("secret.txt", value + "\n")
    try scratch.write("vm.yaml", Self.manifest("{name: db, file: secret.txt}"))
  }

  private static func manifest(_ secret: String) -> String {
    """
    apiVersion: ingot/v1
    kind: VirtualMachine
    metadata: {name: web}
    spec:
      runStrategy: Halted
      firmware: {boot: bios}
      disks: [{name: root, size: 1Mi}]
      cloudInit:
        secrets: [\(secret)]
        userData: {password: "${secret.db}", hostname: web}

    """
  }

  private func ingot(_ line: String, environment: [String: String] = [:]) throws -> IngotBinary.Run
  {
    try IngotBinary(scratch: scratch).run(
      line.split(separator: " ").map(String.init), environment: environment)
  }

  /// The files below the home that hold a text.
  private func files(with text: String) throws -> [String] {
    let base = scratch.file("home")
    let all = try #require(FileManager.default.enumerator(atPath: base))
    return try all.compactMap { $0 as? String }.filter { name in
      guard let type = try FileManager.default.attributesOfItem(atPath: base + "/" + name)[.type],
        type as? FileAttributeType == .typeRegular
      else { return false }
      let data = try Data(contentsOf: URL(fileURLWithPath: base + "/" + name))
      return data.firstRange(of: Data(text.utf8)) != nil
    }
  }

  @Test("the value is on the seed disc and nowhere else, in no file and in no output")
  func nowhere() throws {
    var outputs: [String] = []
    func run(_ line: String, _ status: Int32 = 0) throws -> String {
      let run = try ingot(line)
      #expect(run.status == status, "\(line): \(run.errors)")
      outputs += [run.output, run.errors]
      return run.output
    }
    _ = try run("validate -f vm.yaml")
    _ = try run("plan -f vm.yaml -o json")
    _ = try run("apply -f vm.yaml --yes -o json")
    #expect(try run("plan -f vm.yaml --detailed-exitcode").hasPrefix("No changes."))
    for line in [
      "get vm -o yaml", "get vm -o json", "describe vm/web", "events", "diff -f vm.yaml",
    ] {
      _ = try run(line)
    }
    #expect(try files(with: value).map { $0.split(separator: "/").last } == ["seed.iso"])

    let other = "tr0ub4dor-and-3"
    try scratch.write("secret.txt", other)
    let plan = try run("plan -f vm.yaml --detailed-exitcode", 2)
    #expect(plan.contains("cloudInit") && plan.contains("(sensitive)"))
    let json = try JSONValue(parsing: Array(run("plan -f vm.yaml -o json").utf8))
    let field = try #require(json["changes"]?.array?.first?["fields"]?.array?.first)
    #expect(field["path"] == "cloudInit" && field["before"] == "(sensitive)")
    _ = try run("apply -f vm.yaml --yes --progress json")
    _ = try run("plan -f vm.yaml --detailed-exitcode")
    #expect(try files(with: value) == [])
    #expect(try files(with: other).count == 1)

    // Data that refers to secrets is not shown either, when it changes.
    let text = Self.manifest("{name: db, file: secret.txt}")
    try scratch.write("vm.yaml", text.replacing("hostname: web", with: "hostname: shown"))
    let changed = try run("plan -f vm.yaml -o json")
    #expect(changed.contains("cloudInit.userData") && !changed.contains("shown"))
    for output in outputs {
      #expect(!output.contains(value) && !output.contains(other), "\(output)")
    }
  }

  @Test(
    "a secret comes from a file, the environment or a command",
    arguments: [
      ("{name: db, env: MY_SECRET}", "from-environment"),
      ("{name: db, command: [printf, '%s', \"from 'a' command\"]}", "from 'a' command"),
      ("{name: db, command: [/bin/sh, -c, 'echo $MY_SECRET']}", "from-environment"),
    ])
  func sources(secret: String, expected: String) throws {
    try scratch.write("vm.yaml", Self.manifest(secret))
    let environment = ["MY_SECRET": "from-environment"]
    let run = try ingot("apply -f vm.yaml --yes", environment: environment)
    #expect(run.status == 0, "\(run.errors)")
    #expect(try files(with: "\"password\": \"\(expected)\"").count == 1)
    let again = try ingot("plan -f vm.yaml --detailed-exitcode", environment: environment)
    #expect(again.status == 0, "\(again.output)")
  }

  @Test(
    "a secret that can't be had is named with its source, and its content is not",
    arguments: [
      ("{name: db, file: none.txt}", "none.txt"),
      ("{name: db, env: NO_SUCH}", "NO_SUCH is not set"),
      ("{name: db, file: empty.txt}", "is empty"), ("{name: db, file: binary.txt}", "no UTF-8"),
      ("{name: db, command: [no-such-program]}", "'no-such-program' is not on PATH"),
      ("{name: db, command: [sh, -c, 'cat secret.txt; exit 3']}", "exited with 3"),
      ("{name: db, command: [cat, /dev/zero]}", "64 KiB"),
      ("{name: db}", "has no source"), ("{name: db, env: A, file: b}", "has 2 sources"),
      ("{name: dc, env: A}", "there is no secret 'db'"),
    ])
  func unavailable(secret: String, words: String) throws {
    try scratch.write("vm.yaml", Self.manifest(secret))
    try scratch.write("empty.txt", "\n")
    try scratch.write("binary.txt", [0xff, 0x00])
    let run = try ingot("plan -f vm.yaml")
    #expect(run.status == 1)
    #expect(run.errors.contains(words) && run.errors.contains("vm.yaml:"), "\(run.errors)")
    #expect(!run.errors.contains(value))
  }

  @Test("a secret outside cloud-init's data is an error with its place")
  func misplaced() throws {
    let text = Self.manifest("{name: db, env: A}")
    try scratch.write(
      "vm.yaml", text.replacing("boot: bios", with: "boot: \"${secret.db}\""))
    let run = try ingot("validate --offline -f vm.yaml")
    #expect(run.errors.contains("vm.yaml:6:21: error[misplaced-reference]"), "\(run.errors)")
  }
}
