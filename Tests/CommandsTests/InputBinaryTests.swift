import TestSupport
import Testing

/// What the executable puts into manifests: variables and overlays.
@Suite("The executable's manifests")
struct InputBinaryTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.write(
      "base.yaml",
      """
      apiVersion: ingot/v1
      kind: Variables
      spec:
        size: {type: bytes, default: 1Gi}
        name: {default: data}
      ---
      apiVersion: ingot/v1
      kind: Volume
      metadata: {name: "${var.name}"}
      spec: {size: "${var.size}"}

      """)
  }

  private func ingot(_ line: String, environment: [String: String] = [:]) throws -> IngotBinary.Run
  {
    try IngotBinary(scratch: scratch).run(
      line.split(separator: " ").map(String.init), environment: environment)
  }

  @Test("plan, apply, diff and destroy take variables and overlays")
  func everyVerb() throws {
    try scratch.write("values.json", "{\"size\": \"2Gi\"}")
    try scratch.write(
      "prod.yaml",
      "apiVersion: ingot/v1\nkind: Volume\nmetadata: {name: logs}\nspec: {format: raw}\n")
    let input = "-f base.yaml --var name=logs --var-file values.json --overlay prod.yaml"
    let environment = ["INGOT_VAR_size": "5Gi", "INGOT_VAR_other": "x"]
    #expect(try ingot("validate --offline \(input)", environment: environment).status == 0)
    let plan = try ingot("plan \(input)", environment: environment)
    #expect(plan.output.contains("Volume/logs"), "\(plan.errors)")
    #expect(try ingot("apply \(input) --yes", environment: environment).status == 0)
    let get = try ingot("get vol/logs -o yaml")
    #expect(get.output.contains("size: 2Gi") && get.output.contains("format: raw"))
    #expect(try ingot("diff \(input)", environment: environment).status == 0)
    let destroyed = try ingot("destroy \(input) --yes")
    #expect(destroyed.status == 0 && destroyed.errors.contains("Volume/logs"))
    #expect(try ingot("get vol -o name").output.isEmpty)
  }

  @Test("a value from the environment counts before the default")
  func environment() throws {
    let plan = try ingot("plan -f base.yaml", environment: ["INGOT_VAR_name": "fromenv"])
    #expect(plan.output.contains("Volume/fromenv"))
  }

  @Test(
    "what is wrong names the option, the file or the place",
    arguments: [
      (
        "validate -f base.yaml --var sise=1Gi", Int32(1),
        "--var sise: no variable 'sise' is declared"
      ),
      ("validate -f base.yaml --var sise=1Gi", 1, "did you mean 'size'?"),
      ("validate -f base.yaml --var size=1GB", 1, "--var size: '1GB' is no quantity of bytes"),
      ("validate -f base.yaml --var size", 64, "name=value"),
      ("validate -f base.yaml --var =x", 64, "name=value"),
      ("validate -f base.yaml --var-file missing.yaml", 1, "missing.yaml"),
      ("validate -f base.yaml --overlay missing.yaml", 1, "missing.yaml"),
      ("destroy vm/x --overlay base.yaml", 64, "pass -f too"),
      ("diff -f base.yaml --var size=x", 2, "--var size"),
    ])
  func wrong(line: String, status: Int32, words: String) throws {
    let run = try ingot(line)
    #expect(run.status == status)
    #expect(run.errors.contains(words), "\(run.errors)")
  }
}
