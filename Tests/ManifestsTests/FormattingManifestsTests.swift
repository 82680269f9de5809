import JSON
import Manifests
import Resources
import Testing
import YAML

@Suite("Formatting manifests")
struct FormattingManifestsTests {
  private func format(_ text: String) throws -> String {
    String(
      decoding: try formatYAML(
        Array(text.utf8), file: "f", keyOrder: ["apiVersion", "kind", "metadata", "spec"]),
      as: UTF8.self)
  }

  @Test(
    "the examples are laid out already",
    arguments: projectManifests(in: "Manifests") + projectManifests(in: "Manifests/overlays")
      + projectManifests(in: "Images"))
  func examples(file: String) throws {
    let text = try #require(projectText(file))
    #expect(try format(text) == text, "run `ingot fmt -f \(file)`")
  }

  @Test("generated manifests stay as they are, however they are written", arguments: 0..<4)
  func generated(salt: UInt64) throws {
    let seed = UInt64.random(in: 0 ... .max) &+ salt
    var maker = ResourceMaker(generator: Generator(state: seed))
    let known = Set(["n0", "n1"].flatMap { name in Kind.allCases.map { ResourceID($0, name) } })
    for _ in 0..<20 {
      let resources = Kind.allCases.map { maker.resource($0) }
      let written = manifestText(of: resources)
      for text in [
        written, resources.map { $0.manifest.text(pretty: true) }.joined(separator: "\n---\n"),
      ] {
        let once = try format(text)
        #expect(try format(once) == once, "seed \(seed):\n\(text)")
        let (before, after) = (load(text, known: known), load(once, known: known))
        #expect(
          before.resources.map(\.spec) == after.resources.map(\.spec), "seed \(seed):\n\(text)")
        #expect(before.resources.map(\.labels) == after.resources.map(\.labels), "seed \(seed)")
      }
      let same = try format(written)
      let first = zip(same.split(separator: "\n"), written.split(separator: "\n")).first {
        $0 != $1
      }
      #expect(same == written, "seed \(seed): \(String(describing: first))")
    }
  }
}
