import JSON
import Manifests
import Resources
import TestSupport
import Testing

/// The JSON Schema by the field's own judge: Debian's python3-jsonschema and python3-yaml.
@Suite("JSON Schema")
struct SchemaTests {
  /// Prints the paths at which documents break the schema, a line each: `file document path`.
  private static let judge = """
    import json, sys, yaml, jsonschema
    schema = json.load(open(sys.argv[1]))
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    for name in sys.argv[2:]:
        for number, document in enumerate(yaml.safe_load_all(open(name, encoding="utf-8"))):
            for error in validator.iter_errors(document):
                path = ".".join(str(part) for part in error.absolute_path)
                print(name.split("/")[-1], number, path or "-", error.validator)
    """

  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func judge(_ files: [String], _ schema: JSONValue = ManifestSchema.json()) throws
    -> [String]
  {
    try scratch.write("schema.json", schema.text(pretty: true))
    return try Tool.check("python3", ["-c", Self.judge, scratch.file("schema.json")] + files)
      .split(separator: "\n").map(String.init)
  }

  private static func paths(in folder: String) -> [String] {
    projectManifests(in: folder).map { projectDirectory + "/" + $0 }
  }

  @Test("every example is what the schema says")
  func examples() throws {
    #expect(try judge(Self.paths(in: "Manifests") + Self.paths(in: "Images")) == [])
  }

  @Test("generated manifests are what the schema says", arguments: 0..<2)
  func generated(salt: UInt64) throws {
    let seed = UInt64.random(in: 0 ... .max) &+ salt
    var maker = ResourceMaker(generator: Generator(state: seed))
    let resources = (0..<30).flatMap { _ in Kind.allCases.map { maker.resource($0) } }
    try scratch.write("all.yaml", manifestText(of: resources))
    #expect(try judge([scratch.file("all.yaml")]) == [], "seed \(seed)")
    for kind in Kind.allCases {
      try scratch.write("one.yaml", manifestText(of: resources.filter { $0.id.kind == kind }))
      #expect(
        try judge([scratch.file("one.yaml")], ManifestSchema.json(.resource(kind))) == [],
        "seed \(seed)")
    }
  }

  @Test("mistakes of structure are refused at their paths")
  func invalid() throws {
    let found = try judge(
      Self.paths(in: "Manifests/invalid").filter {
        !$0.hasSuffix("/syntax.yaml") && !$0.hasSuffix("/tab.yaml")
      })
    for line in [
      "fields.yaml 0 metadata.name pattern", "fields.yaml 0 metadata additionalProperties",
      "fields.yaml 0 spec additionalProperties", "fields.yaml 0 spec.cpu.count pattern",
      "fields.yaml 0 spec.memory.guest pattern", "fields.yaml 0 spec.firmware.boot anyOf",
      "fields.yaml 0 spec.disks pattern", "fields.yaml 0 spec.interfaces.0 required",
      "fields.yaml 0 spec.interfaces.0.mac pattern",
      "fields.yaml 0 spec.interfaces.0.address pattern",
      "fields.yaml 0 spec.interfaces.1.ports.0.host maximum",
      "fields.yaml 0 spec.terminationGracePeriod type",
      "documents.yaml 0 - required", "documents.yaml 1 apiVersion const",
      "documents.yaml 2 kind enum",
      "documents.yaml 3 - required", "documents.yaml 4 - required",
      "variables.yaml 0 spec pattern", "variables.yaml 0 spec.other.type anyOf",
    ] {
      #expect(found.contains(line), "\(line) in\n\(found.joined(separator: "\n"))")
    }
  }

  /// What is written under a machine's `spec`, and whether it is accepted.
  private static let values: [(spec: String, isAccepted: Bool)] = [
    ("memory: {guest: 1Gi}", true), ("memory: {guest: 1073741824}", true),
    ("memory: {guest: 1.5Gi}", true),
    ("memory: {guest: 1GB}", false), ("memory: {guest: -1}", false), ("memory: {guest: ~}", true),
    ("memory: {guest: \"${var.m}\"}", true), ("memory: {guest: \"${env.m}\"}", false),
    ("cpu: {reservation: 0.5}", true), ("cpu: {reservation: 500m}", true),
    ("cpu: {reservation: 500k}", false),
    ("cpu: {count: 0}", false), ("cpu: {count: 300}", false), ("cpu: {count: \"2\"}", false),
    ("cpu: {count: \"${var.n}\"}", true), ("terminationGracePeriod: 1h30m", true),
    ("terminationGracePeriod: 30", false), ("terminationGracePeriod: 1s1h", false),
    ("terminationGracePeriod: \"\"", false), ("runStrategy: \"${var.s}\"", true),
    ("runStrategy: On", false),
    ("lifecycle: {deletionProtection: \"${var.p}\"}", true),
    ("lifecycle: {deletionProtection: \"x\"}", false),
    ("interfaces: \"${var.list}\"", true), ("interfaces: x", false), ("cpu: ~", true),
    ("interfaces: [{name: a, mac: 52-54-00-12-34-56}]", true),
    ("interfaces: [{name: a, mac: \"53:54:00:12:34:56\"}]", false),
    ("interfaces: [{name: a, address: 10.0.0.256}]", false), ("interfaces: [{name: -a}]", false),
    ("cloudInit: {userData: {any: [1, {x: ~}]}}", true), ("cloudInit: {userDate: x}", false),
    ("cloudInit: {secrets: [{name: a, env: X}]}", true),
    ("cloudInit: {secrets: [{env: X}]}", false),
    ("interfaces: [{name: a, address6: \"fd00::1\"}]", true),
    ("interfaces: [{name: a, address6: \"64:ff9b::10.0.0.1\"}]", true),
    ("interfaces: [{name: a, address6: \"${var.a}\"}]", true),
    ("interfaces: [{name: a, address6: \"fd00::g\"}]", false),
    ("interfaces: [{name: a, address6: 10.0.0.1}]", false),
    ("interfaces: [{name: a, bandwidth: {inbound: 10M}}]", true),
    ("interfaces: [{name: a, bandwidth: {inbound: 10Mbit}}]", false),
    ("interfaces: [{name: a, securityGroups: [Web]}]", false),
  ]

  /// What is written under a security group's `spec`, and whether it is accepted.
  private static let rules: [(spec: String, isAccepted: Bool)] = [
    ("ingress: []", true), ("default: {ingress: Allow}", true),
    ("default: {ingress: Maybe}", false),
    ("ingress: [{protocol: tcp, ports: [80, 8000-8080, \"443\"]}]", true),
    ("ingress: [{protocol: tcp, ports: [\"0\"]}]", false),
    ("ingress: [{protocol: tcp, ports: [80-]}]", false),
    ("ingress: [{from: [10.0.0.0/8, 10.0.0.1, \"fd00::/64\", \"::/0\", \"group:r\"]}]", true),
    ("ingress: [{from: [10.0.0.0/33]}]", false), ("ingress: [{from: [\"fd00::/129\"]}]", false),
    ("ingress: [{from: [\"group:\"]}]", false), ("ingress: [{from: [web]}]", false),
    ("ingress: [{to: [10.0.0.0/8]}]", false), ("ingress: [{protocol: sctp}]", false),
  ]

  @Test("a value is accepted as the decoder accepts it")
  func decoder() throws {
    let values = Self.values + Self.rules
    let texts =
      Self.values.map { spec, _ in
        document(.virtualMachine, "m", "disks: [{name: r, image: i}]\n" + spec)
      } + Self.rules.map { document(.securityGroup, "r", $0.spec) }
    // One run of Python for all of them.
    try scratch.write("all.yaml", texts.joined(separator: "---\n"))
    let refused = Set(
      try judge([scratch.file("all.yaml")]).compactMap { Int($0.split(separator: " ")[1]) })
    for (index, (spec, isAccepted)) in values.enumerated() {
      #expect(refused.contains(index) != isAccepted, "\(spec)")
      // The decoder's own verdict, where no variable is to be declared.
      if spec.contains("$") { continue }
      let loaded = load(texts[index], known: [ResourceID(.image, "i")])
      #expect(loaded.hasErrors != isAccepted, "\(spec): \(loaded.renderedDiagnostics())")
    }
  }

  @Test("every field is described, with its effect in Markdown")
  func descriptions() {
    func check(_ fields: [Field], _ schema: JSONValue?, _ path: String) {
      for field in fields {
        let own = schema?["properties"]?[field.name]
        #expect(own?["description"] == .string(field.doc), "\(path).\(field.name)")
        if field.effect == .nextBoot, field.type.fields.isEmpty {
          #expect(own?["markdownDescription"]?.string?.contains("next-boot") == true)
        }
        check(field.type.fields, own?["items"] ?? own, path + "." + field.name)
      }
    }
    for kind in Kind.allCases {
      let schema = ManifestSchema.json(.resource(kind))
      check(Schema.table(for: kind).fields, schema["properties"]?["spec"], kind.rawValue)
    }
  }
}
