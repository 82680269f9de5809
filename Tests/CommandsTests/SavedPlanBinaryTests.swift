import Foundation
import JSON
import TestSupport
import Testing

/// Saved plans, targets and apply sets with the built executable.
@Suite("The executable and its plans")
struct SavedPlanBinaryTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func ingot(_ arguments: String...) throws -> IngotBinary.Run {
    try IngotBinary(scratch: scratch).run(arguments)
  }

  private func write(_ name: String, _ sizes: [(String, String)]) throws {
    let documents = sizes.map { volume, size in
      """
      apiVersion: ingot/v1
      kind: Volume
      metadata: {name: \(volume), labels: {app: \(volume)}}
      spec: {size: \(size)}

      """
    }
    try scratch.write(name, documents.joined(separator: "---\n"))
  }

  @Test("a plan is saved for its owner alone, shown, applied once, and stale then")
  func savedPlan() throws {
    try write("a.yaml", [("one", "1Mi"), ("two", "1Mi")])
    let plan = try ingot("plan", "-f", "a.yaml", "-o", "a.plan", "--set", "web")
    #expect(plan.status == 0, "\(plan.errors)")
    #expect(plan.output.contains("Plan: 2 add"))
    #expect(plan.errors.contains("ingot apply a.plan"))
    let attributes = try FileManager.default.attributesOfItem(atPath: scratch.file("a.plan"))
    #expect(attributes[.posixPermissions] as? Int == 0o600)

    let shown = try ingot("show", "a.plan")
    #expect(shown.status == 0, "\(shown.errors)")
    #expect(shown.output.contains("Plan: 2 add") && !shown.output.contains("Stale"))
    // What the manifest says by now is nothing to the plan.
    try write("a.yaml", [("three", "1Mi")])
    #expect(try ingot("show", "a.plan").output.contains("a.yaml is not as it was then"))

    let applied = try ingot("apply", "a.plan", "--yes")
    #expect(applied.status == 0, "\(applied.errors)")
    #expect(try ingot("get", "vol", "-o", "name").output == "vol/one\nvol/two\n")
    #expect(try ingot("get", "vol", "-o", "wide").output.contains("  web  "))

    let again = try ingot("apply", "a.plan", "--yes")
    #expect(again.status == 1)
    #expect(again.errors.contains("the plan was made at generation"))
    let stale = try ingot("show", "a.plan")
    #expect(stale.status == 0)
    #expect(stale.output.contains("Stale since"))
    #expect(stale.output.contains("is created, and 1 more"))
    let json = try JSONValue(parsing: try ingot("show", "a.plan", "-o", "json").output)
    #expect(json["saved"]?["stale"] == true)
    #expect(json["saved"]?["manifests"]?.array?.first?["changed"] == true)
    #expect(json["changes"]?.array?.count == 2)
  }

  @Test("what is no plan, damaged, of a newer ingot or of another engine is refused")
  func refusedFiles() throws {
    try write("a.yaml", [("one", "1Mi")])
    #expect(try ingot("plan", "-f", "a.yaml", "-o", "a.plan").status == 0)
    let good = try String(contentsOfFile: scratch.file("a.plan"), encoding: .utf8)
    let cases = [
      (good.replacingOccurrences(of: "1048576", with: "1048577"), "its checksum is wrong"),
      (String(good.dropLast(good.count / 2)), "no saved plan, or a damaged one"),
      (
        good.replacingOccurrences(of: "\"format_version\": \"1.", with: "\"format_version\": \"2."),
        "has the format 2."
      ),
      ("{\"format_version\": \"1.0\"}", "is no saved plan"), ("kind: Volume\n", "no saved plan"),
      ("", "no saved plan"),
    ]
    for (text, words) in cases {
      try scratch.write("b.plan", text)
      for verb in [["show"], ["apply", "--yes"]] {
        let run = try IngotBinary(scratch: scratch).run([verb[0], "b.plan"] + verb.dropFirst())
        #expect(run.status == 1, "\(words)")
        #expect(run.errors.contains(words), "\(run.errors)")
      }
    }
    let missing = try ingot("apply", "none.plan", "--yes")
    #expect(missing.status == 1 && missing.errors.contains("none.plan"))
    let elsewhere = try ingot("apply", "a.plan", "--yes", "--home", scratch.file("other"))
    #expect(elsewhere.status == 1)
    #expect(elsewhere.errors.contains("was made for engine"))
    // Nor is anything else overwritten.
    let manifest = try ingot("plan", "-f", "a.yaml", "-o", "a.yaml")
    #expect(manifest.status == 1)
    #expect(manifest.errors.contains("a.yaml is there and is no saved plan"))
  }

  /// Command lines that make no sense, and what is said of them.
  static let wrongLines: [([String], Int32, String)] = [
    (["plan", "-f", "a.yaml", "-o", "josn"], 64, "did you mean json?"),
    (["apply", "a.plan", "-f", "a.yaml"], 64, "exclude each other"),
    (["apply", "a.plan", "--restart"], 64, "was decided when it was made"),
    (["plan", "-f", "a.yaml", "-l", "a b"], 64, "write k=v, k!=v, k or !k"),
    (["plan", "-f", "a.yaml", "--target", "vol/tow"], 1, "did you mean vol/two?"),
    (["apply", "-f", "a.yaml", "--exclude", "vol/tow"], 1, "did you mean vol/two?"),
    (["diff", "-f", "a.yaml", "--target", "vol/tow"], 2, "did you mean vol/two?"),
    (["plan", "-f", "a.yaml", "--replace", "vol/tow"], 1, "did you mean vol/two?"),
    (["plan", "-f", "a.yaml", "--target", "tow"], 64, "names no kind"),
    (["destroy", "vol/two", "-l", "a"], 64, "not with names"),
  ]

  @Test("a wrong option or name is told with the right one", arguments: 0..<wrongLines.count)
  func nonsense(number: Int) throws {
    try write("a.yaml", [("one", "1Mi"), ("two", "1Mi")])
    let (arguments, status, words) = Self.wrongLines[number]
    let run = try IngotBinary(scratch: scratch).run(arguments)
    #expect(run.status == status, "\(arguments): \(run.errors)")
    #expect(run.errors.contains(words), "\(run.errors)")
  }

  @Test("targets, labels and sets choose what is applied, shown, compared and destroyed")
  func scope() throws {
    try write("a.yaml", [("one", "1Mi"), ("two", "1Mi"), ("three", "1Mi")])
    let first = try ingot("apply", "-f", "a.yaml", "--yes", "--target", "vol/one", "-o", "json")
    #expect(first.status == 0, "\(first.errors)")
    #expect(try ingot("get", "vol", "-o", "name").output == "vol/one\n")
    #expect(
      try ingot("diff", "-f", "a.yaml", "--exclude", "vol/two").output.contains("Volume/three"))
    #expect(try ingot("diff", "-f", "a.yaml", "--target", "vol/one").status == 0)
    #expect(try ingot("apply", "-f", "a.yaml", "--yes", "-l", "app!=two").status == 0)
    #expect(try ingot("apply", "-f", "a.yaml", "--yes").status == 0)
    #expect(
      try ingot("get", "vol", "-l", "app!=two,app", "-o", "name").output == "vol/one\nvol/three\n")
    // Only what belongs to the set is pruned.
    try write("b.yaml", [("four", "1Mi")])
    let pruned = try ingot("apply", "-f", "b.yaml", "--yes", "--prune", "--set", "other")
    #expect(pruned.status == 0, "\(pruned.errors)")
    #expect(try ingot("get", "vol", "-o", "name").output.split(separator: "\n").count == 4)
    let other = try ingot("apply", "-f", "a.yaml", "--yes", "--set", "other")
    #expect(other.status == 3)
    #expect(other.errors.contains("belongs to the apply set 'default', and this is 'other'"))
    #expect(try ingot("destroy", "--all", "--yes", "--exclude", "vol/one").status == 0)
    #expect(try ingot("get", "vol", "-o", "name").output == "vol/one\n")
  }
}
