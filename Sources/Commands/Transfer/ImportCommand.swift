internal import ArgumentParser
internal import Diagnostics
internal import DiskImage
internal import EmbeddedEngine
internal import EngineInterface
internal import JSON
internal import Resources
internal import SystemIO
internal import XML

struct ImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Take over a disk image, or a libvirt domain with its disks, as a machine.",
    discussion: """
      Each disk becomes a volume: a copy, or with --move the image itself. A manifest is written whose \
      plan is empty. The machine is not started, since the old one may still run: two guests on one \
      disk, or with one MAC address, harm each other. Exit code 6 where something has no counterpart.

        ingot import disk.qcow2 --format qcow2 --name web1 --memory 2Gi -o web1.yaml
        virsh dumpxml web1 | ingot import - -o web1.yaml
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(
    help: "A disk image, with its --format; else a libvirt domain, or - for standard input.",
    completion: .file())
  var source: String
  @Option(
    help: "The disk image's format, which is never guessed: raw or qcow2.",
    completion: .list(["raw", "qcow2"]))
  var format: String?
  @Option(help: "The machine's name; a domain brings one.")
  var name: String?
  @Option(help: "The memory, such as 2Gi; of a disk image only.")
  var memory: String?
  @Option(help: "The number of processors; of a disk image only.")
  var cpus: Int?
  @Option(help: "The network that is plugged into; 'default' where none is named.")
  var network: String?
  @Option(help: "How the disk boots, bios or uefi; of a disk image only.")
  var firmware: String?
  @Option(help: "The storage pool of the volumes; 'default' where none is named.")
  var pool: String?
  @Flag(help: "Take the images themselves, by renaming them into the pool, and leave none behind.")
  var move = false
  @Option(
    name: .shortAndLong, help: "The manifest to be written.",
    completion: .file(extensions: ["yaml"]))
  var output: String
  @Flag(help: "Write over a manifest that is there.")
  var force = false
  @Option(help: "How progress is told: auto, plain, json (lines on standard error) or none.")
  var progress: ProgressChoice = .auto

  func validate() throws {
    if let format {
      guard DiskFormat(rawValue: format)?.runsGuests == true else {
        throw ValidationError(
          "guests run from raw and qcow2, not '\(format)': see `ingot image convert`")
      }
      guard name != nil else { throw ValidationError("a disk image needs a --name") }
      guard source != "-" else { throw ValidationError("a disk image is a file, not -") }
    }
    for (option, isGiven) in [
      ("--memory", memory != nil), ("--cpus", cpus != nil), ("--firmware", firmware != nil),
    ] where isGiven && format == nil {
      throw ValidationError(
        "\(option) is for disk images, which need a --format; a domain says it itself")
    }
    if let firmware, firmware != "bios", firmware != "uefi" {
      throw ValidationError("--firmware is bios or uefi, not '\(firmware)'")
    }
    if let name, let problem = TextFormat.name.problem(with: name) {
      throw ValidationError("--name: \(problem); \(TextFormat.name.help)")
    }
  }

  func run() async throws {
    let session = try EngineSession.open(global)
    let style = global.style(of: .errors)
    let manifest = session.environment.absolute(output)
    guard force || !fileExists(manifest) else {
      throw Failure("\(output) is there already", help: "pass --force to write over it")
    }
    let (described, isWhole) = try await machine(style)
    let importing = MachineImport(
      machine: try await described.measured(session.environment), file: output,
      way: move ? .move : .copy,
      run: PlanRun(
        session: session, command: "import", style: style, parallelism: 1, progress: progress))
    try await importing.carryOut(writing: manifest)
    TextStream.errors.line(
      "\(output) declares \(described.name), which is not started: make sure the old machine is "
        + "off, then `ingot start \(described.name)`.")
    if !isWhole { throw QuietExit(status: .dropped) }
  }

  /// What is to be imported, and whether all of it has a counterpart.
  private func machine(_ style: Style) async throws -> (ImportedMachine, isWhole: Bool) {
    guard let format = format.flatMap(DiskFormat.init(rawValue:)), let name else {
      return try await domain(style)
    }
    var spec: JSONValue = [
      "runStrategy": "Manual", "firmware": ["boot": .string(firmware ?? "bios")],
    ]
    if let memory { spec["memory"] = ["guest": .string(memory)] }
    if let cpus { spec["cpu"] = ["count": .integer(Int64(cpus))] }
    var interface: JSONValue = ["name": "lan"]
    interface["network"] = network.map(JSONValue.string)
    spec["interfaces"] = [interface]
    let disk = ImportedMachine.Disk(name: "root", path: source, format: format)
    return (ImportedMachine(name: name, spec: spec, disks: [disk], pool: pool), true)
  }

  private func domain(_ style: Style) async throws -> (ImportedMachine, isWhole: Bool) {
    let source = source
    let bytes = try await blocking {
      source == "-"
        ? try standardInput().readAll(limit: XMLLimits().bytes)
        : try readFile(source, limit: XMLLimits().bytes)
    }
    let file = source == "-" ? "<stdin>" : source
    SourceLines.shared.keep(bytes, of: file)
    let root: XMLElement
    do throws(XMLError) {
      root = try XMLElement(parsing: bytes)
    } catch {
      throw Diagnostics([
        Diagnostic(
          "bad-xml", "it is no XML that can be read: \(error.message)",
          at: SourceSpan(file: file, line: max(1, error.line), column: 1, length: 1),
          help: "of a disk image, state the --format")
      ])
    }
    let (machine, problems) = DomainImport.map(
      root, file: file, options: .init(name: name, network: network, pool: pool))
    if problems.contains(where: { $0.severity == .error }) { throw Diagnostics(problems) }
    if !problems.isEmpty {
      TextStream.errors.write(
        DiagnosticsView(style: style, line: SourceLines.shared.line).text(problems))
    }
    return (machine, problems.isEmpty)
  }
}
