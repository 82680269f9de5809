import Diagnostics
import JSON
import Manifests
import Resources
import Testing

@Suite("Variables")
struct VariableTests {
  private func volumes(_ declarations: String, _ spec: String, name: String = "v") -> String {
    "apiVersion: ingot/v1\nkind: Variables\nspec:\n"
      + declarations.split(separator: "\n").map { "  \($0)\n" }.joined() + "---\n"
      + document(.volume, name, spec)
  }

  private func problems(_ loaded: LoadedManifests) -> [String] {
    loaded.diagnostics.map {
      [$0.span?.description, $0.code.rawValue, $0.path].compactMap { $0 }.joined(separator: " ")
    }
  }

  @Test("options go before files, files before the environment, and that before the default")
  func precedence() throws {
    let text = volumes("size: {type: bytes, default: 1Gi}", "size: ${var.size}")
    let environment = [VariableValues.Assignment(name: "size", value: "2Gi")]
    let files = [
      source("size: 3Gi", file: "a.yaml"), source("{\"size\": \"4Gi\"}", file: "b.json"),
    ]
    let options = [
      VariableValues.Assignment(name: "size", value: "5Gi"), .init(name: "size", value: "6Gi"),
    ]
    for (values, expected) in [
      (VariableValues(), 1), (VariableValues(environment: environment), 2),
      (VariableValues(files: [files[0]], environment: environment), 3),
      (VariableValues(files: files, environment: environment), 4),
      (VariableValues(options: options, files: files, environment: environment), 6),
    ] as [(VariableValues, Int64)] {
      let loaded = ManifestLoader.load([source(text)], variables: values)
      #expect(loaded.renderedDiagnostics() == "")
      #expect(loaded.resources.first?.spec["size"] == .integer(expected << 30))
    }
  }

  @Test(
    "a whole value has its variable's type, and within a text it is a text",
    arguments: [
      ("x: {type: integer, default: 5}", "${var.x}", 5),
      ("x: {type: integer, default: 5}", "\"${var.x}\"", 5),
      ("x: {type: bool, default: true}", "${var.x}", true),
      ("x: {default: true}", "${var.x}", "true"),
      ("x: {default: \"5\"}", "a${var.x}b${var.x}", "a5b5"),
      ("x: {type: bool, default: true}", "is ${var.x}", "is true"),
      ("x: {type: list, default: [a, 1]}", "${var.x}", ["a", 1]),
      ("x: {type: map, default: {a: {b: 1}}}", "[${var.x}]", nil),
      ("x: {type: map, default: {a: {b: 1}}}", "[\"${var.x}\"]", [["a": ["b": 1]]]),
      ("x: {type: any, default: [1]}", "${var.x}", [1]),
      ("x: {type: duration, default: 3m}", "${var.x}", "3m"),
      ("x: {default: a}", "$${var.x}", "${var.x}"),
      ("x: {default: a}", "$$${var.x}", "$${var.x}"),
      ("x: {default: a}", "$$$${var.x}", "$$${var.x}"),
      ("x: {default: a}", "${HOME} $x $", "${HOME} $x $"),
      ("x: {default: a}", "{${var.x}: 1}", nil),
      ("x: {default: a}", "\"{${var.x}: 1}\"", "{a: 1}"),
      ("x: {default: a}", "{\"${var.x}\": 1} # ${var.none}", ["${var.x}": 1]),
      ("x: {default: '${HOME}'}", "${var.x}", "${HOME}"),
      ("x: {default: '${secret.s}'}", "${var.x}-", "$${secret.s}-"),
      ("x: {default: a}", "$${secret.s}", "$${secret.s}"),
    ] as [(String, String, JSONValue?)])
  func types(declaration: String, value: String, expected: JSONValue?) {
    let text = "apiVersion: ingot/v1\nkind: Variables\nspec: {\(declaration)}\n---\n"
    let spec = "disks: [{name: r, image: i}]\ncloudInit:\n  userData:\n    v: \(value)"
    let loaded = load(
      text + document(.virtualMachine, "m", spec), known: [ResourceID(.image, "i")])
    if let expected {
      #expect(loaded.renderedDiagnostics() == "")
      #expect(loaded.resources.first?.spec["cloudInit"]?["userData"]?["v"] == expected)
    } else {
      #expect(loaded.hasErrors)
    }
  }

  @Test("values of every type come from options, and lists and maps in YAML's short form")
  func options() {
    for (type, value, expected) in [
      ("integer", "7", 7), ("bool", "true", true), ("text", "true", "true"),
      ("text", "a: b", "a: b"),
      ("text", "", ""), ("list", "[a, {b: 1}]", ["a", ["b": 1]]), ("map", "{a: [1]}", ["a": [1]]),
      ("any", "5", 5), ("cpu", "500m", "500m"),
    ] as [(String, String, JSONValue)] {
      let text =
        "apiVersion: ingot/v1\nkind: Variables\nspec: {x: {type: \(type)}}\n---\n"
        + document(
          .virtualMachine, "m",
          "disks: [{name: r, image: i}]\ncloudInit: {userData: {v: \"${var.x}\"}}")
      let loaded = ManifestLoader.load(
        [source(text)], variables: VariableValues(options: [.init(name: "x", value: value)]),
        known: [ResourceID(.image, "i")])
      #expect(loaded.renderedDiagnostics() == "", "\(type) \(value)")
      #expect(loaded.resources.first?.spec["cloudInit"]?["userData"]?["v"] == expected)
    }
  }

  @Test("what is wrong with a value is told by the option, the file or the place")
  func wrongValues() {
    let text = volumes(
      "size: {type: bytes}\nname: {choices: [a, bb]}", "size: ${var.size}",
      name: "\"x-${var.name}\"")
    func load(_ values: VariableValues) -> [String] {
      problems(ManifestLoader.load([source(text)], variables: values))
    }
    #expect(
      load(
        VariableValues(options: [.init(name: "size", value: "3GB"), .init(name: "nam", value: "a")])
      )
        == [
          "unknown-variable --var nam", "invalid-value --var size",
          "m.yaml:5:3 missing-variable spec.name",
        ])
    #expect(
      load(
        VariableValues(
          files: [source("size: [1]\nnmae: a", file: "v.yaml")],
          environment: [.init(name: "name", value: "b"), .init(name: "else", value: "b")]))
        == [
          "invalid-value INGOT_VAR_name", "v.yaml:1:7 wrong-type size",
          "v.yaml:2:1 unknown-variable nmae",
        ])
    #expect(
      load(VariableValues(files: [source("- a", file: "v.yaml")])).first
        == "m.yaml:4:3 missing-variable spec.size")
  }

  @Test("a value bears the place of its reference")
  func places() throws {
    let loaded = load(
      volumes("size: {type: bytes, default: 5}", "pool: default\nsize: ${var.size}"))
    #expect(problems(loaded) == ["m.yaml:11:9 out-of-range spec.size"])
    let fine = load(volumes("size: {type: bytes, default: 5Gi}", "size: ${var.size}"))
    #expect(
      try #require(fine.resources.first).written.span(at: "spec.size")?.description == "m.yaml:10:9"
    )
  }

  @Test("what was loaded with an escape is written with it", arguments: 0..<4)
  func roundTrip(salt: UInt64) throws {
    let seed = UInt64.random(in: 0 ... .max) &+ salt
    var generator = Generator(state: seed)
    let parts = ["$", "{", "${", "$${", "var.", "secret.", "x", "}", "HOME"]
    for _ in 0..<200 {
      let text = (0..<6).map { _ in parts.randomElement(using: &generator) ?? "" }.joined()
      let resource = Resource(
        ResourceID(.storagePool, "p"),
        spec: ["type": "dir", "lifecycle": ["deletionProtection": false]],
        labels: [.init(name: "a", value: text)])
      let loaded = load(resource.manifestText)
      #expect(loaded.renderedDiagnostics() == "", "seed \(seed): \(text)")
      #expect(loaded.resources.first?.labels == resource.labels, "seed \(seed): \(text)")
    }
  }
}
