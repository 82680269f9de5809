import Diagnostics
import JSON
import Manifests
import Resources
import Testing

@Suite("Overlays")
struct OverlayTests {
  private let base = document(
    .virtualMachine, "web",
    """
    cpu: {count: 2, max: 4}
    disks: [{name: root, image: i, size: 4Gi}, {name: data, size: 1Gi}]
    interfaces:
      - {name: lan, ports: [{guest: 22, host: 2201}, {guest: 80}]}
    cloudInit: {userData: {hostname: web, packages: [curl], users: [{name: a}]}}
    """)

  private func lay(_ overlays: [String], over base: String? = nil) -> LoadedManifests {
    ManifestLoader.load(
      [source(base ?? self.base, file: "base.yaml")],
      overlays: overlays.enumerated().map { source($1, file: "o\($0).yaml") },
      known: [ResourceID(.image, "i"), ResourceID(.image, "j")])
  }

  private func patch(_ operations: String, name: String = "web") -> String {
    "apiVersion: ingot/v1\nkind: Patch\nspec:\n  target: {kind: VirtualMachine, name: \(name)}\n  operations:\n"
      + operations.split(separator: "\n").map { "    - {\($0)}\n" }.joined()
  }

  /// What changed against the base, as paths with values.
  private func changes(_ loaded: LoadedManifests) -> [String] {
    guard let before = lay([]).resources.first?.spec, let after = loaded.resources.first?.spec
    else {
      return ["nothing loaded"]
    }
    let schema = Schema.table(for: .virtualMachine)
    return schema.differences(from: before, to: after).map {
      "\($0.path)=\(schema.text(of: $0.after, at: $0.path))"
    }
  }

  @Test(
    "groups merge, keyed lists merge by their key, the rest replaces",
    arguments: [
      ("memory: {guest: 1Gi}", ["memory.guest=1Gi"]), ("cpu: {count: 3}", ["cpu.count=3"]),
      ("cpu: {max: null}", ["cpu.max=unset"]), ("cpu: null", ["cpu.count=1", "cpu.max=unset"]),
      ("cpu: {$patch: replace, count: 3}", ["cpu.count=3", "cpu.max=unset"]),
      ("cloudInit: {$patch: delete}", ["cloudInit=unset"]),
      ("disks: [{name: data, size: 2Gi}]", ["disks[data].size=2Gi"]),
      (
        "disks: [{name: root, image: j}, {name: x, size: 1Gi}]",
        ["disks[root].image=j", "disks[x]={name: x, size: 1Gi, pool: default}"]
      ),
      ("disks: [{name: data, $patch: delete}]", ["disks[data]=unset"]),
      ("disks: [{name: data, $patch: replace, size: 3Gi}]", ["disks[data].size=3Gi"]),
      (
        "disks: [{$patch: replace}, {name: root, image: j}]",
        ["disks[data]=unset", "disks[root].image=j", "disks[root].size=unset"]
      ),
      (
        "interfaces: [{name: lan, ports: [{guest: 22, host: 9}]}]",
        ["interfaces[lan].ports[22/tcp].host=9"]
      ),
      (
        "interfaces: [{name: lan, ports: [{guest: 80, $patch: delete}]}]",
        ["interfaces[lan].ports[80/tcp]=unset"]
      ),
      (
        "cloudInit: {userData: {packages: [git], hostname: null}}",
        ["cloudInit.userData={packages: [git], users: [{name: a}]}"]
      ),
    ])
  func merging(spec: String, expected: [String]) {
    let loaded = lay([document(.virtualMachine, "web", spec)])
    #expect(loaded.renderedDiagnostics() == "")
    #expect(changes(loaded) == expected)
  }

  @Test(
    "JSON Patch changes what it points at",
    arguments: [
      ("op: replace, path: /spec/cpu/count, value: 3", ["cpu.count=3"]),
      ("op: remove, path: /spec/cpu/max", ["cpu.max=unset"]),
      ("op: add, path: /spec/memory, value: {guest: 1Gi}", ["memory.guest=1Gi"]),
      (
        "op: add, path: /spec/disks/-, value: {name: x, size: 1Gi}",
        ["disks[x]={name: x, size: 1Gi, pool: default}"]
      ),
      (
        "op: add, path: /spec/cloudInit/userData/a~1b~0c, value: 1",
        ["cloudInit.userData={hostname: web, packages: [curl], users: [{name: a}], a/b~c: 1}"]
      ),
      ("op: copy, from: /spec/cpu/count, path: /spec/cpu/max", ["cpu.max=2"]),
      (
        "op: test, path: /spec/cpu, value: {max: 4, count: 2}\nop: move, from: /spec/cpu/max, path: /spec/cpu/count",
        ["cpu.count=4", "cpu.max=unset"]
      ),
      ("op: remove, path: /spec/disks/1", ["disks[data]=unset"]),
    ])
  func jsonPatch(operations: String, expected: [String]) {
    let loaded = lay([patch(operations)])
    #expect(loaded.renderedDiagnostics() == "")
    #expect(changes(loaded) == expected)
  }

  @Test("overlays are laid in order, and add, remove and change resources and variables")
  func order() {
    let variables =
      "apiVersion: ingot/v1\nkind: Variables\nspec: {size: {type: bytes, default: 1Gi}}\n"
    let base = variables + "---\n" + document(.volume, "a", "size: ${var.size}")
    let first =
      document(.volume, "b", "size: 2Gi") + "---\n" + document(.volume, "a", "format: raw")
      + "---\napiVersion: ingot/v1\nkind: Variables\nspec: {size: {default: 3Gi}, more: {default: x}}\n"
    let second =
      "apiVersion: ingot/v1\nkind: Volume\nmetadata: {name: b}\n$patch: delete\n---\n"
      + document(.volume, "\"c-${var.more}\"", "size: ${var.size}")
    let loaded = lay([first, second], over: base)
    #expect(loaded.renderedDiagnostics() == "")
    #expect(loaded.resources.map(\.id.name) == ["a", "c-x"])
    #expect(loaded.resources.map { $0.spec["size"] } == [.integer(3 << 30), .integer(3 << 30)])
    #expect(loaded.resources.first?.spec["format"] == "raw")
  }

  @Test(
    "what an overlay can't do is an error with its place",
    arguments: [
      (
        "P|op: replace, path: /spec/cpu/cont, value: 3", "o0.yaml:6:27 patch-failed",
        "did you mean 'count'?"
      ),
      ("P|op: remove, path: /spec/disks/7", "o0.yaml:6:26 patch-failed", "count from 0"),
      ("P|op: remove, path: /spec/disks/01", "o0.yaml:6:26 patch-failed", "'-'"),
      ("P|op: add, path: /spec/cpu/count/x, value: 1", "o0.yaml:6:23 patch-failed", ""),
      ("P|op: test, path: /spec/cpu/count, value: 7", "o0.yaml:6:24 patch-failed", ""),
      ("P|op: add, path: spec, value: 7", "o0.yaml:6:23 invalid-value", "'/'"),
      ("P|op: add, path: /spec", "o0.yaml:6:7 missing-field", ""),
      ("P|op: move, path: /spec/cpu/x, from: /spec/cpu", "o0.yaml:6:24 conflicting-fields", ""),
      ("P|op: put, path: /spec", "o0.yaml:6:12 invalid-value", ""),
      ("N|op: remove, path: /spec/cpu", "o0.yaml:4:40 missing-target", "did you mean 'web'?"),
      (
        "V|disks: [{name: dta, $patch: delete}]", "o0.yaml:5:11 missing-target",
        "did you mean 'data'?"
      ),
      ("V|cpu: {$patch: remove}", "o0.yaml:5:17 invalid-value", ""),
      ("V|memory: {guest: 5}", "o0.yaml:5:19 out-of-range", ""),
      ("V|memry: {guest: 1Gi}", "o0.yaml:5:3 unknown-field", "did you mean 'memory'?"),
      ("D|", "o0.yaml:3:18 missing-target", "did you mean 'web'?"),
    ])
  func failures(text: String, place: String, help: String) {
    let rest = String(text.dropFirst(2))
    let overlay =
      switch text.first {
      case "P": patch(rest)
      case "N": patch(rest, name: "wbe")
      case "D":
        "apiVersion: ingot/v1\nkind: VirtualMachine\nmetadata: {name: wbe}\n$patch: delete\n"
      default: document(.virtualMachine, "web", rest)
      }
    let loaded = lay([overlay])
    #expect(
      loaded.diagnostics.map { "\($0.span?.description ?? "") \($0.code.rawValue)" } == [place])
    #expect(loaded.diagnostics.first?.help?.contains(help) ?? help.isEmpty)
  }

  @Test("what is merged has the place it comes from, and relative paths start there")
  func places() throws {
    let base = document(.storagePool, "p", "path: data\nlifecycle: {deletionProtection: true}")
    let overlay = ManifestSource(
      file: "prod/o.yaml", directory: "/site/prod",
      bytes: Array(document(.storagePool, "p", "path: data").utf8))
    let loaded = ManifestLoader.load([source(base)], overlays: [overlay])
    let pool = try #require(loaded.resources.first)
    #expect(pool.spec["path"] == "/site/prod/data")
    #expect(pool.written.span(at: "spec.path")?.description == "prod/o.yaml:5:9")
    #expect(pool.written.span(at: "spec.lifecycle")?.description == "m.yaml:6:3")
    #expect(pool.source?.description == "m.yaml:1:1")
  }

  @Test("the example lies over the quickstart")
  func example() throws {
    let loaded = ManifestLoader.load(
      [source(try #require(projectText("Manifests/quickstart.yaml")))],
      overlays: [
        source(try #require(projectText("Manifests/overlays/prod.yaml")), file: "prod.yaml")
      ],
      known: [ResourceID(.image, "debian-12")])
    #expect(loaded.renderedDiagnostics() == "")
    let web1 = try #require(loaded.resources.first { $0.id.name == "web1" })
    let machine = try MachineSpecification(web1.spec)
    #expect(machine.memory == 1 << 30 && machine.interfaces[0].ports[0].host == 2301)
    #expect(!loaded.resources.contains { $0.id.name == "web2" })
  }
}
