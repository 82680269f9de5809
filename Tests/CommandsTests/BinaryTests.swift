import Foundation
import JSON
import TestSupport
import Testing

/// Runs the built executable as users do.
@Suite("The executable")
struct BinaryTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func ingot(_ arguments: String..., input: String = "") throws -> IngotBinary.Run {
    try run(arguments, input: input)
  }

  private func run(_ arguments: [String], input: String = "") throws -> IngotBinary.Run {
    try IngotBinary(scratch: scratch).run(arguments, input: input)
  }

  private let network = """
    apiVersion: ingot/v1
    kind: Network
    metadata: {name: lab}
    spec: {mode: user}

    """

  @Test("version prints its own and its libraries' versions to standard output")
  func version() throws {
    let run = try ingot("version")
    #expect(run.status == 0)
    #expect(run.output.hasPrefix("ingot 0."))
    for library in ["swift", "libyaml", "libarchive", "sqlite"] {
      let line = run.output.split(separator: "\n").first { $0.hasPrefix("  \(library) ") }
      #expect(line?.split(separator: " ").dropFirst().first?.first?.isNumber == true, "\(library)")
    }
    #expect(run.errors.isEmpty)
  }

  @Test("valid manifests on standard input")
  func validate() throws {
    let run = try ingot("validate", "-f", "-", input: network)
    #expect(run.status == 0)
    #expect(run.output == "1 resource in 1 file: valid.\n")
    #expect(!FileManager.default.fileExists(atPath: scratch.file("home")))
  }

  @Test("manifests in the directories below are read where --recursive asks for it")
  func recursive() throws {
    try FileManager.default.createDirectory(
      atPath: scratch.file("site/lab"), withIntermediateDirectories: true)
    try scratch.write("site/lab/network.yaml", network)
    let flat = try ingot("validate", "-f", scratch.file("site"))
    #expect(flat.status == 1)
    #expect(flat.errors.contains("or pass --recursive"))
    let deep = try ingot("validate", "-R", "-f", scratch.file("site"))
    #expect(deep.status == 0)
    #expect(deep.output == "1 resource in 1 file: valid.\n")
  }

  @Test("all that is wrong is told at once, on standard error, with exit code 1")
  func invalid() throws {
    let text = network.replacingOccurrences(of: "mode: user", with: "mode: user, mod: 1, subnet: x")
    let run = try ingot("validate", "-f", "-", input: text)
    #expect(run.status == 1)
    #expect(run.output.isEmpty)
    #expect(run.errors.hasPrefix("<stdin>:4:20: error[unknown-field]: spec.mod: "))
    #expect(
      run.errors.contains(
        "\n 4 | spec: {mode: user, mod: 1, subnet: x}\n   |                    ^^^\n"))
    #expect(run.errors.hasSuffix("\n2 errors\n"))
  }

  @Test("-o json gives diagnostics as data")
  func invalidAsJSON() throws {
    let run = try ingot("plan", "-f", "missing.yaml", "-o", "json")
    #expect(run.status == 1)
    let value = try JSONValue(parsing: Array(run.output.utf8))
    #expect(value["diagnostics"]?.array?.first?["code"]?.string == "unreadable-file")
  }

  @Test("plan, apply, plan again, diff, get, destroy: each with its exit code")
  func roundTrip() throws {
    try scratch.write("lab.yaml", network)
    let plan = try ingot("plan", "-f", "lab.yaml", "--detailed-exitcode")
    #expect(plan.status == 2, "\(plan.errors)")
    #expect(plan.output.contains(" +   Network/lab  create"))
    let refused = try ingot("apply", "-f", "lab.yaml")
    #expect(refused.status == 1)
    #expect(refused.errors.contains("--yes"))
    let apply = try ingot("apply", "-f", "lab.yaml", "--yes")
    #expect(apply.status == 0, "\(apply.errors)")
    #expect(apply.errors.contains("Network/lab: created"))
    let again = try ingot("plan", "-f", "lab.yaml", "--detailed-exitcode")
    #expect(again.status == 0, "\(again.output)")
    #expect(again.output.hasPrefix("No changes. "))
    #expect(try ingot("diff", "-f", "lab.yaml").status == 0)
    #expect(try ingot("get", "net", "-o", "name").output == "net/default\nnet/lab\n")
    let destroy = try ingot("destroy", "net/lab", "--yes")
    #expect(destroy.status == 0, "\(destroy.errors)")
    #expect(try ingot("get", "net", "-o", "name").output == "net/default\n")
    #expect(try ingot("diff", "-f", "lab.yaml").status == 1)
  }

  @Test(
    "map draws what there is, in each way", arguments: ["text", "dot", "mermaid", "svg", "json"])
  func map(format: String) throws {
    let pool = """
      apiVersion: ingot/v1
      kind: ResourcePool
      metadata: {name: dev}
      spec: {memory: {limit: 2Gi}}
      ---

      """
    let apply = try ingot("apply", "-f", "-", "--yes", input: pool + network)
    #expect(apply.status == 0, "\(apply.errors)")
    let map = try ingot("map", "-o", format)
    #expect(map.status == 0)
    #expect(map.errors.isEmpty)
    for name in ["dev", "lab", "2Gi", "user"] { #expect(map.output.contains(name), "\(name)") }
    let chosen = try ingot("map", "-o", format, "--target", "rp/dev")
    #expect(chosen.output.contains("dev"))
    #expect(!chosen.output.contains("user"))
    #expect(try ingot("map", "-o", format, "--target", "rp/deb").status == 1)
  }

  @Test(
    "errors name what to do, with their exit codes",
    arguments: [
      (["describe", "vm/web1"], Int32(1), "there is no VirtualMachine/web1"),
      (["start", "web1"], 1, "web1"), (["versoin"], 64, "did you mean 'ingot version'?"),
      (["get", "vmm"], 64, "did you mean vm"), (["plan"], 64, "-f FILE"),
      (["convert", "missing", "-o", "x.raw"], 1, "missing"),
      (["convert", "ssh://host/", "-o", "x.raw"], 1, "tar"),
      (["console", "web1"], 1, "there is no VirtualMachine/web1"),
      (["image", "info", "missing", "--format", "vhd"], 1, "missing"),
      (["image", "info", "/dev/null"], 64, "--format"),
      (["image", "convert", "a", "-o", "b", "--from", "raw", "--to", "tar"], 64, "vhd-fixed"),
      (
        [
          "image", "convert", "a", "-o", "b", "--from", "raw", "--to", "vhd", "--compression",
          "zlib",
        ],
        64, "--compression zlib is not for the format vhd"
      ),
    ])
  func errors(arguments: [String], status: Int32, words: String) throws {
    let process = try run(arguments)
    #expect(process.status == status)
    #expect(process.errors.contains(words), "\(process.errors)")
    #expect(process.output.isEmpty)
  }

  @Test("image convert writes what image info describes, and neither guesses a format")
  func images() throws {
    var generator = SeededGenerator(seed: 5)
    try scratch.write("disk.raw", generator.bytes(1 << 20))
    let converted = try ingot(
      "image", "convert", "disk.raw", "-o", "disk.vmdk", "--from", "raw", "--to", "vmdk")
    #expect(converted.status == 0, "\(converted.errors)")
    #expect(converted.output.hasPrefix("disk.vmdk: vmdk, a disk of 1 MiB in 1"))
    #expect(converted.errors.hasPrefix("disk.vmdk: converting...\n✓ disk.vmdk: converted"))
    let info = try ingot("image", "info", "disk.vmdk", "--format", "vmdk", "-o", "json")
    let value = try JSONValue(parsing: Array(info.output.utf8))
    #expect(value["virtualSize"]?.integer == 1 << 20)
    #expect(value["kind"]?.string == "streamOptimized")
    #expect(value["refusal"] == .null)
    let wrong = try ingot("image", "info", "disk.vmdk", "--format", "qcow2")
    #expect(wrong.status == 1)
    #expect(wrong.errors.contains("doesn't begin as qcow2 does"), "\(wrong.errors)")
    let overlay = scratch.file("overlay.qcow2")
    try Tool.check(
      "qemu-img", ["create", "-q", "-f", "qcow2", "-b", "disk.raw", "-F", "raw", overlay],
      in: scratch.path)
    let leaning = try ingot("image", "info", overlay, "--format", "qcow2")
    #expect(leaning.output.contains("backing file  disk.raw\n"), "\(leaning.output)")
    let refused = try ingot(
      "image", "convert", overlay, "-o", "out.raw", "--from", "qcow2", "--to", "raw")
    #expect(refused.status == 1)
    #expect(refused.errors.contains("it has a backing file, \"disk.raw\""))
    #expect(!FileManager.default.fileExists(atPath: scratch.file("out.raw")))
  }

  @Test("completion scripts for all shells", arguments: ["bash", "zsh", "fish"])
  func completions(shell: String) throws {
    let run = try ingot("completions", shell)
    #expect(run.status == 0)
    #expect(run.output.contains("detailed-exitcode"))
  }
}
