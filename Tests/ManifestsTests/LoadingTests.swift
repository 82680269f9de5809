import Diagnostics
import JSON
import Manifests
import Resources
import Testing

@Suite("Loading")
struct LoadingTests {
  @Test("defaults are filled in, in the order of the table")
  func defaults() throws {
    let loaded = load(document(.volume, "data", "size: 1Gi"))
    #expect(
      try #require(loaded.resources.first).spec == [
        "pool": "default", "size": 1_073_741_824, "format": "qcow2",
        "lifecycle": ["deletionProtection": false, "deletionPolicy": "Delete"],
      ])
  }

  @Test("every kind's specification reads what loading makes of its smallest manifest")
  func specifications() throws {
    let loaded = load(
      [
        document(.storagePool, "p", "{}"), document(.resourcePool, "r", "{}"),
        document(.network, "n", "mode: user"),
        document(.image, "i", "source: {bootstrap: {suite: bookworm}}"),
        document(.volume, "v", "size: 1Mi"),
        document(.virtualMachine, "m", "disks: [{name: root, image: i}]\ninterfaces: [{name: a}]"),
      ].joined(separator: "---\n"))
    #expect(loaded.renderedDiagnostics() == "")
    let specs = loaded.resources.map(\.spec)
    try #require(specs.count == 6)
    #expect(try StoragePoolSpecification(specs[0]).path == nil)
    #expect(try ResourcePoolSpecification(specs[1]).cpu.shares == 1000)
    #expect(try NetworkSpecification(specs[2]).mode == .user)
    guard case .bootstrap(let bootstrap) = try ImageSpecification(specs[3]).source else {
      Issue.record("no bootstrap")
      return
    }
    #expect(bootstrap.variant == "minbase" && bootstrap.components == ["main"])
    #expect(try VolumeSpecification(specs[4]).size == 1 << 20)
    let machine = try MachineSpecification(specs[5])
    #expect(machine.memory == 512 << 20 && machine.maximumMemory == machine.memory)
    #expect(machine.interfaces.first?.network == "default" && machine.readinessProbe == nil)
    #expect(try LifecycleSpecification(of: specs[5]).deletionProtection == false)
  }

  @Test("quantities become whole base units")
  func quantities() throws {
    let text = """
      cpu: {count: 2, reservation: 1.5}
      memory: {guest: 1.5Gi}
      disks: [{name: root, image: i, size: "8Gi"}]
      readinessProbe: {guestAgent: {}, timeout: 1h30m}
      """
    let loaded = load(
      document(.virtualMachine, "m", text), known: [ResourceID(.image, "i")])
    let machine = try MachineSpecification(try #require(loaded.resources.first).spec)
    #expect(machine.cpuReservation == 1500 && machine.memory == 3 << 29)
    #expect(machine.disks.first?.size == 8 << 30)
    #expect(machine.readinessProbe?.timeout == 5400 && machine.readinessProbe?.period == 5)
  }

  @Test("texts stay texts, and cloud-init's data keeps its types")
  func types() throws {
    let text = """
      disks: [{name: root, image: i}]
      cloudInit:
        userData: {hostname: on, mode: 0644, n: 5, f: 1.5, t: true, q: "5", none: null, l: [a, 1]}
      """
    let loaded = load(
      "apiVersion: ingot/v1\nkind: VirtualMachine\nmetadata: {name: 123, labels: {a: 1, b: yes}}\nspec:\n"
        + text.split(separator: "\n").map { "  \($0)\n" }.joined(),
      known: [ResourceID(.image, "i")])
    #expect(loaded.renderedDiagnostics() == "")
    let resource = try #require(loaded.resources.first)
    #expect(resource.id.name == "123")
    #expect(resource.labels.map { "\($0.name)=\($0.value)" } == ["a=1", "b=yes"])
    #expect(
      try MachineSpecification(resource.spec).userData == [
        "hostname": "on", "mode": "0644", "n": 5, "f": .number(1.5), "t": true, "q": "5",
        "none": nil, "l": ["a", 1],
      ])
  }

  @Test("a relative path starts at the manifest's directory")
  func paths() throws {
    for (path, expected) in [
      ("rootfs", "/site/rootfs"), ("./a/../b//c/", "/site/b/c"), ("../x", "/x"),
      ("/abs/./y", "/abs/y"),
      ("../../../z", "/z"),
    ] {
      let loaded = load(document(.storagePool, "p", "path: \(path)"))
      #expect(loaded.resources.first?.spec["path"]?.string == expected)
    }
  }

  @Test("what was written is known by path and place")
  func places() throws {
    let loaded = load(
      document(.virtualMachine, "m", "disks:\n  - {name: root, image: i, size: 4Gi}\nmemory: {}"),
      known: [ResourceID(.image, "i")])
    let resource = try #require(loaded.resources.first)
    #expect(resource.source?.description == "m.yaml:1:1")
    #expect(
      resource.written.paths.sorted() == [
        "metadata.name", "spec.disks", "spec.disks[root].image", "spec.disks[root].name",
        "spec.disks[root].size", "spec.memory",
      ])
    #expect(resource.written.span(at: "spec.disks[root].size")?.description == "m.yaml:6:36")
    #expect(resource.written.span(at: "spec.disks[root]")?.description == "m.yaml:6:7")
    #expect(resource.written.span(at: "spec.memory")?.description == "m.yaml:7:3")
  }

  @Test("null is as if nothing were written")
  func null() throws {
    let loaded = load(document(.volume, "data", "size: 1Gi\npool: null\nformat:"))
    #expect(loaded.resources.first?.spec["pool"] == "default")
    #expect(loaded.resources.first?.written.paths.contains("spec.pool") == false)
    #expect(
      load(document(.volume, "data", "size: ~")).diagnostics.map(\.code.rawValue)
        == ["missing-field"])
  }

  @Test("diagnostics come by file and line, and one mistake is reported once")
  func order() {
    let loaded = ManifestLoader.load([
      source(document(.volume, "v", "size: 5"), file: "b.yaml"),
      source(
        document(.virtualMachine, "m", "disks: [{name: d, image: i}, {name: e, volume: v}]\nx: 1"),
        file: "a.yaml"),
    ])
    #expect(
      loaded.diagnostics.map { "\($0.span?.description ?? "") \($0.code.rawValue)" } == [
        "a.yaml:5:28 missing-reference", "a.yaml:6:3 unknown-field", "b.yaml:5:9 out-of-range",
      ])
    #expect(loaded.resources.isEmpty)
  }

  @Test("names the engine holds may be referred to")
  func known() {
    let text = document(.volume, "v", "size: 1Gi\npool: fast")
    #expect(load(text).diagnostics.map(\.code.rawValue) == ["missing-reference"])
    #expect(load(text, known: [ResourceID(.storagePool, "fast")]).diagnostics.isEmpty)
    #expect(!load(text, known: [ResourceID(.network, "fast")]).diagnostics.isEmpty)
  }

  @Test("in mode user each machine may have the same address")
  func userNetworks() {
    func text(_ mode: String) -> String {
      let network = document(.network, "lab", "mode: \(mode)\nsubnet: 10.77.0.0/24")
      let spec =
        "disks: [{name: r, image: i}]\ninterfaces: [{name: a, network: lab, address: 10.77.0.5}]"
      return [network, document(.virtualMachine, "a", spec), document(.virtualMachine, "b", spec)]
        .joined(separator: "---\n")
    }
    let known: Set<ResourceID> = [ResourceID(.image, "i")]
    #expect(load(text("user"), known: known).diagnostics.isEmpty)
    #expect(
      load(text("nat"), known: known).diagnostics.map(\.code.rawValue) == ["duplicate-address"])
  }

  @Test(
    "what QEMU has for itself in mode user is no guest's",
    arguments: [("user", ["conflicting-fields", "invalid-value"]), ("nat", [])])
  func userServices(mode: String, codes: [String]) {
    let network = document(
      .network, "lab",
      "mode: \(mode)\nsubnet: 10.77.0.0/24\ndhcp: {range: [10.77.0.2, 10.77.0.9]}")
    let machine = document(
      .virtualMachine, "a",
      "disks: [{name: r, image: i}]\ninterfaces: [{name: a, network: lab, address: 10.77.0.3}]")
    let loaded = load("\(network)---\n\(machine)", known: [ResourceID(.image, "i")])
    #expect(loaded.diagnostics.map(\.code.rawValue) == codes)
  }

  @Test("a long chain of pools is no cycle, and a cycle is reported once")
  func cycles() {
    func chain(_ last: String) -> String {
      (0..<200).map { document(.resourcePool, "p\($0)", $0 == 199 ? last : "parent: p\($0 + 1)") }
        .joined(separator: "---\n")
    }
    #expect(load(chain("{}")).diagnostics.isEmpty)
    #expect(load(chain("parent: p100")).diagnostics.map(\.code.rawValue) == ["cycle"])
    #expect(
      load(document(.image, "i", "source: {image: i}")).diagnostics.map(\.code.rawValue)
        == ["cycle"])
  }

  @Test("the line of a place is at hand for every file read, and for no other")
  func lines() {
    let loaded = ManifestLoader.load([
      source("a: 1\r\nb: é", file: "a.yaml"), source(document(.network, "n", "mode: user")),
    ])
    func line(_ file: String, _ number: Int) -> String? {
      loaded.line(SourceSpan(file: file, line: number, column: 1))
    }
    #expect(line("a.yaml", 1) == "a: 1" && line("a.yaml", 2) == "b: é" && line("a.yaml", 3) == nil)
    #expect(line("m.yaml", 2) == "kind: Network" && line("other.yaml", 1) == nil)
  }

  @Test("thousands of wrong names are all reported")
  func manyMistakes() {
    let text = (0..<500).map { document(.volume, "v\($0)", "size: 1Gi\npool: p\($0)") }
      .joined(separator: "---\n")
    let loaded = load(text)
    #expect(loaded.diagnostics.count == 500)
    #expect(loaded.diagnostics.allSatisfy { $0.help != nil })
    #expect(loaded.renderedDiagnostics().contains("pool: p499\n"))
  }
}
