import Diagnostics
import JSON
import Manifests
import Resources
import Testing

@Suite("Writing manifests")
struct EncodingTests {
  @Test("a resource is written with its defaults and with quantities as text")
  func text() throws {
    let loaded = load(
      "apiVersion: ingot/v1\nkind: Volume\nmetadata: {name: data, labels: {on: \"1\"}}\nspec: {size: 1536Mi}"
    )
    #expect(
      try #require(loaded.resources.first).manifestText == """
        apiVersion: ingot/v1
        kind: Volume
        metadata:
          name: data
          labels:
            "on": "1"
        spec:
          pool: default
          size: 1536Mi
          format: qcow2
          lifecycle:
            deletionProtection: false
            deletionPolicy: Delete

        """)
  }

  @Test("loading what was written gives the same resources", arguments: 0..<4)
  func roundTrip(salt: UInt64) throws {
    let seed = UInt64.random(in: 0 ... .max) &+ salt
    var maker = ResourceMaker(generator: Generator(state: seed))
    for _ in 0..<40 {
      let resources = Kind.allCases.map { maker.resource($0) }
      let known = Set(
        ["n0", "n1"].flatMap { name in Kind.allCases.map { ResourceID($0, name) } })
      for text in [
        manifestText(of: resources),
        resources.map { $0.manifest.text() }.joined(separator: "\n---\n"),
      ] {
        let loaded = load(text, known: known)
        #expect(
          loaded.diagnostics.isEmpty, "seed \(seed): \(loaded.renderedDiagnostics())\n\(text)")
        #expect(loaded.resources.count == resources.count)
        for resource in loaded.resources {
          let original = try #require(resources.first { $0.id == resource.id })
          #expect(resource.spec == original.spec, "seed \(seed):\n\(text)")
          #expect(resource.labels == original.labels, "seed \(seed):\n\(text)")
          #expect(resource.annotations == original.annotations, "seed \(seed):\n\(text)")
        }
      }
    }
  }
}
