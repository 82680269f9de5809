import Glibc
import JSON
import SystemIO
import TestSupport
import Testing

/// The manifests of a test of networks, with small guests that speak.
struct NetworkSite {
  let ingot: Ingot
  private var documents: [(subject: String, manifest: JSONValue)] = []

  init(_ ingot: Ingot) async throws {
    self.ingot = ingot
    let tree = try await DistributionTrees.shared.networkGuest()
    set("Image", "small", ["source": ["tree": ["path": .string(tree)]]])
  }

  /// Declares something, in place of what had its name.
  mutating func set(_ kind: String, _ name: String, _ spec: JSONValue) {
    let document = (subject: "\(kind)/\(name)", manifest: manifest(kind, name, spec))
    if let index = documents.firstIndex(where: { $0.subject == document.subject }) {
      documents[index] = document
    } else {
      documents.append(document)
    }
  }

  /// Declares a machine with some interfaces.
  mutating func setMachine(
    _ name: String, _ interfaces: JSONValue..., ready: JSONValue = ["guestAgent": [:]]
  ) {
    var probe = ready
    probe["timeout"] = "5m"
    probe["period"] = "1s"
    // A processor of few features, of which its kernel has less to make ready.
    set(
      "VirtualMachine", name,
      [
        "cpu": ["model": "qemu64"], "memory": ["guest": "128Mi"],
        "disks": [["name": "root", "image": "small"]],
        "interfaces": .array(interfaces), "readinessProbe": probe, "terminationGracePeriod": "0s",
      ])
  }

  /// Declares something no more.
  mutating func remove(_ subject: String) { documents.removeAll { $0.subject == subject } }

  /// Writes the manifests, applies them, and expects the plan after that to be empty.
  func apply(_ options: String..., sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let text = documents.map { $0.manifest.text(pretty: true) + "\n" }.joined(separator: "---\n")
    try replaceFile("\(ingot.directory)/site.yaml", with: Array(text.utf8))
    // The caller may be another user.
    chmod("\(ingot.directory)/site.yaml", 0o644)
    let answer = try await ingot.run(["apply", "-f", "site.yaml", "--yes", "--prune"] + options)
    try #require(
      answer.code == 0, "apply ended with \(answer.code):\n\(answer.output)\n\(answer.errors)",
      sourceLocation: sourceLocation)
    let plan = try await ingot.run(["plan", "-f", "site.yaml", "--detailed-exitcode"])
    #expect(
      plan.code == 0, "the plan after apply is not empty:\n\(plan.output)\n\(plan.errors)",
      sourceLocation: sourceLocation)
  }
}

/// A small guest, asked through its agent.
struct Guest {
  let name: String
  let ingot: Ingot

  /// Runs a script in it, and answers what it printed.
  func run(_ script: String, sourceLocation: SourceLocation = #_sourceLocation) async throws
    -> String
  {
    let answer = try await ingot.run(["exec", name, "--", "sh", "-c", script])
    try #require(
      answer.code == 0, "\(name): \(script)\n\(answer.output)\n\(answer.errors)",
      sourceLocation: sourceLocation)
    return answer.output
  }

  /// Whether a script succeeds in it.
  func succeeds(_ script: String) async throws -> Bool {
    // A guest that could not be asked would look like one that is cut off.
    let answer = try await ingot.run(
      [
        "exec", name, "--", "sh", "-c",
        "if ( \(script) ) > /dev/null 2>&1; then echo yes; else echo no; fi",
      ])
    try #require(answer.code == 0, "\(name): \(script)\n\(answer.errors)")
    return answer.output == "yes\n"
  }

  /// Whether it reaches an address or a name by ping.
  func reaches(_ target: String, _ version: String = "-4") async throws -> Bool {
    try await succeeds("ping \(version) -A -c 3 -w 3 \(target)")
  }

  /// Whether it reaches one soon: a guest's IPv6 address needs some seconds.
  func eventuallyReaches(_ target: String, _ version: String = "-4") async throws -> Bool {
    try await succeeds(
      "for i in $(seq 30); do ping \(version) -A -c 1 -w 2 \(target) && exit; sleep 1; done; exit 1"
    )
  }

  /// What it is answered at a URL; empty where nothing is.
  func get(_ url: String) async throws -> String {
    try await run("timeout 4 wget -q -O - '\(url)' || :")
  }
}
