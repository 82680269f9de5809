import JSON
import Monitor
import Resources
import SystemIO
import TestSupport
import Testing

/// A site with one running machine, whose manifests are changed field by field.
final class Rehearsal {
  let ingot: Ingot
  /// The machine's name.
  let machine: String
  private var manifests: [(subject: String, manifest: JSONValue)]
  /// Tells one boot of the guest from another.
  private let boot: (Rehearsal, MachineView) async throws -> String
  /// What the last case left; nil where the guest is another since.
  private var last: (view: MachineView, boot: String)?
  /// What waits for the next boot, with the paths that tell so.
  private var waiting: [FieldCase] = []
  private var required: Set<String> = []
  /// The machine's disks when it was made, and what cases remember of images.
  private(set) var disksAtFirst: JSONValue?
  var digests: [String: String] = [:]
  private var volumesAtFirst: JSONValue?
  private var known: MachineDirectory?

  init(
    _ ingot: Ingot, machine: String, manifests: [JSONValue],
    boot: @escaping (Rehearsal, MachineView) async throws -> String
  ) {
    self.ingot = ingot
    self.machine = machine
    self.boot = boot
    self.manifests = manifests.map { manifest in
      ("\(manifest["kind"]?.string ?? "")/\(manifest["metadata"]?["name"]?.string ?? "")", manifest)
    }
  }

  /// Makes all of it and waits for the guest.
  func begin() async throws {
    try write()
    try await ingot.succeed("apply", "-f", "site.yaml", "--yes", "--timeout", "8m")
    try await isAsPlanned()
    disksAtFirst = try await view().details["disks"]
    volumesAtFirst = try await volumes()
    for image in try await items("image") {
      let name = image["metadata"]?["name"]?.string ?? ""
      digests[name] = image["status"]?["details"]?["digest"]?.string
    }
  }

  func isAsPlanned() async throws {
    let plan = try await ingot.run(["plan", "-f", "site.yaml", "--detailed-exitcode"])
    #expect(plan.code == 0, "a second plan is not empty:\n\(plan.output)\(plan.errors)")
  }

  /// Makes a change and compares what comes with what was promised.
  func carryOut(_ test: FieldCase) async throws {
    let (before, bootBefore) = try await beginning()
    let kept = manifests
    try edit(test.edits)
    let answer = try await apply(test.options)
    compare(answer, test)
    let after = try await view()
    switch test.promise {
    case .none, .live, .nextBoot:
      let isSame = before.processID == after.processID && before.processID != nil
      #expect(isSame, "\(test.label): the process is another")
      #expect(try await boot(self, after) == bootBefore, "\(test.label): the guest was booted")
      last = (after, bootBefore)
      if test.promise == .nextBoot { wait(test) }
    case .refused, .invalid:
      #expect(before == after, "\(test.label): something changed all the same")
      manifests = kept
      try write()
    case .restart: try await isRestarted(test, before, after, bootBefore)
    case .replace: try await isReplaced(test, before, after)
    }
    #expect(after.restartRequired == required, "\(test.label): RestartRequired")
    if test.promise != .nextBoot { try await see(test) }
  }

  /// The machine and its guest's boot before a change, as the one before left them.
  private func beginning() async throws -> (view: MachineView, boot: String) {
    if let last { return last }
    let view = try await view()
    let now = (view, try await boot(self, view))
    last = now
    return now
  }

  private func wait(_ test: FieldCase) {
    waiting.append(test)
    // That a network is defined anew shows where a machine is plugged into it.
    required.formUnion(test.kind == .network ? plugs(of: test.subject) : test.paths)
  }

  /// The paths of the networks of the machine's interfaces on a network.
  private func plugs(of network: String) -> [String] {
    let subject = "VirtualMachine/\(machine)"
    let manifest = manifests.first { $0.subject == subject }?.manifest
    return (manifest?["spec"]?["interfaces"]?.array ?? []).compactMap { interface in
      guard let name = interface["name"]?.string, let on = interface["network"]?.string,
        network == "Network/\(on)"
      else { return nil }
      return "interfaces[\(name)].network"
    }
  }

  /// Waits for what comes within seconds, or never.
  private func see(_ test: FieldCase) async throws {
    guard let shown = test.shown else { return }
    var seen = ""
    for _ in 0..<300 {
      seen = try await test.look(self)
      if seen == shown { return }
      try await Task.sleep(for: .milliseconds(200))
    }
    Issue.record("\(test.label): \(shown) was to be seen, and is \(seen)")
  }

  /// What waited is in effect after one boot.
  private func isRestarted(
    _ test: FieldCase, _ before: MachineView, _ after: MachineView, _ bootBefore: String
  ) async throws {
    #expect(before.processID != after.processID, "\(test.label): the process is the same")
    required = []
    last = nil
    guard after.processID != nil else { return }
    try await ingot.succeed("wait", machine, "--timeout", "8m")
    #expect(try await boot(self, after) != bootBefore, "\(test.label): the guest was not booted")
    for test in waiting { try await see(test) }
    waiting = []
  }

  /// A machine made anew is the same to all around it.
  private func isReplaced(
    _ test: FieldCase, _ before: MachineView, _ after: MachineView
  ) async throws {
    #expect(before.processID != after.processID, "\(test.label): the process is the same")
    for name in ["macs", "ports", "directory"] {
      #expect(before.details[name] == after.details[name], "\(test.label): other \(name)")
    }
    #expect(before.details["disks"] != after.details["disks"], "\(test.label): the old disks")
    #expect(try await volumes() == volumesAtFirst, "\(test.label): other volumes")
    required = []
    waiting = []
    last = nil
    try await ingot.succeed("wait", machine, "--timeout", "8m")
  }

  private func compare(_ answer: ApplyAnswer, _ test: FieldCase) {
    switch test.promise {
    case .refused(let code):
      #expect(answer.code == 3, "\(test.label): exit code\n\(answer.errors)")
      #expect(answer.refusals == [code], "\(test.label): the refusal")
    case .invalid(let code):
      #expect(answer.code == 1, "\(test.label): exit code")
      #expect(answer.errorCodes == [code], "\(test.label): the error")
    default:
      #expect(answer.code == 0, "\(test.label): exit code\n\(answer.errors)")
      #expect(answer.changed == [test.subject], "\(test.label): what changes")
      let change = answer.change(of: test.subject)
      let fields = (change?["fields"]?.array ?? []).compactMap { $0["path"]?.string }
      #expect(fields.sorted() == test.paths.sorted(), "\(test.label): the fields of the plan")
      #expect(change?["effect"]?.string == test.promise.word, "\(test.label): the plan's promise")
      let result = answer.result(of: test.subject)
      #expect(
        result?["effect"]?.string == test.promise.word,
        "\(test.label): the outcome \(result?.text() ?? "is missing")")
    }
  }
}

extension Rehearsal {
  /// The machine as it is now.
  func view() async throws -> MachineView { try MachineView(try await resource("vm/\(machine)")) }

  /// Where its monitor keeps its files; the same for as long as the machine has its name.
  func directory() async throws -> MachineDirectory {
    if let known { return known }
    let directory = MachineDirectory(try await view().directory)
    known = directory
    return directory
  }

  /// A resource as `get -o json` shows it.
  func resource(_ address: String) async throws -> JSONValue {
    try #require(try await items(address).first)
  }

  private func items(_ what: String) async throws -> [JSONValue] {
    try JSONValue(parsing: try await ingot.succeed("get", what, "-o", "json"))["items"]?.array ?? []
  }

  /// What tells each volume, and its file, from any other.
  private func volumes() async throws -> JSONValue {
    .array(
      try await items("vol").map { volume in
        let path = try #require(volume["status"]?["details"]?["path"]?.string)
        let inode = try Descriptor.open(path, .read).status().inode
        return [.string(path), .string("\(inode)"), volume["status"]?["uid"] ?? .null]
      })
  }

  /// Applies the manifests as they are now, without waiting.
  func apply(_ options: [String] = []) async throws -> ApplyAnswer {
    try ApplyAnswer(
      await ingot.run(
        ["apply", "-f", "site.yaml", "--yes", "--no-wait", "-o", "json"] + options))
  }

  /// What another change would be refused for, were it made now.
  func refusals(_ edits: Edit...) async throws -> String {
    let kept = manifests
    try edit(edits)
    let answer = try await ingot.run(["plan", "-f", "site.yaml", "-o", "json"])
    manifests = kept
    try write()
    let plan = try JSONValue(parsing: answer.output)
    return (plan["refused"]?.array ?? []).compactMap { $0["code"]?.string }.joined(separator: " ")
  }

  func edit(_ edits: [Edit]) throws {
    for edit in edits {
      let index = try #require(
        manifests.firstIndex { $0.subject == edit.subject }, "there is no \(edit.subject)")
      edit.apply(to: &manifests[index].manifest)
    }
    try write()
  }

  private func write() throws {
    let text = manifests.map { $0.manifest.text(pretty: true) + "\n" }.joined(separator: "---\n")
    try replaceFile("\(ingot.directory)/site.yaml", with: Array(text.utf8))
  }
}
