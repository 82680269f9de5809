import Diagnostics
import JSON
import Manifests
import Resources
import TestSupport
import Testing

/// So many documents are decoded on two threads, while they are being read; few are not.
@Suite("Many documents")
struct ManyDocumentsTests {
  private let size = 3000

  /// Volumes, every seventh of a variable's size and every eleventh wrong.
  private func volume(_ number: Int) -> String {
    let size = number % 11 == 3 ? "much" : number % 7 == 2 ? "${var.size}" : "\(number % 9 + 1)Gi"
    return document(.volume, "v\(number)", "size: \(size)")
  }

  private let variables = """
    apiVersion: ingot/v1
    kind: Variables
    spec:
      size: {type: bytes, default: 5Gi}

    """

  @Test("resources and diagnostics come in the order of the documents, as they do of few")
  func order() {
    let documents = (0..<size).map(volume)
    let all = load((documents + [variables]).joined(separator: "---\n"))
    #expect(all.resources.map(\.id.name) == (0..<size).filter { $0 % 11 != 3 }.map { "v\($0)" })
    #expect(
      all.diagnostics.map(\.span?.line)
        == (0..<size).filter { $0 % 11 == 3 }.map { $0 * 6 + 5 })
    for number in [0, 2, 9, 255, 256, 257, 513, 1001, size - 1] where number % 11 != 3 {
      let one = load([documents[number], variables].joined(separator: "---\n"))
      #expect(
        one.resources.first?.spec == all.resources.first { $0.id.name == "v\(number)" }?.spec)
    }
  }

  @Test("a name that stands twice, far apart, is reported at the second place")
  func twice() {
    var documents = (0..<size).map { document(.volume, "v\($0)", "size: 1Gi") }
    documents.append(document(.volume, "v7", "size: 1Gi"))
    let loaded = load(documents.joined(separator: "---\n"))
    #expect(loaded.diagnostics.map(\.code) == ["duplicate-name"])
    #expect(loaded.diagnostics.first?.span?.line == size * 6 + 3)
    #expect(loaded.diagnostics.first?.help?.contains("m.yaml:45:") == true)
  }

  @Test("what stands before an error of syntax is still told")
  func broken() {
    let documents = (0..<size).map(volume) + [variables, "a: [", volume(3)]
    let loaded = load(documents.joined(separator: "---\n"))
    #expect(loaded.resources.count == (0..<size).count { $0 % 11 != 3 })
    #expect(loaded.diagnostics.last?.code == "yaml-syntax")
    #expect(loaded.diagnostics.count == (0..<size).count { $0 % 11 == 3 } + 1)
  }

  @Test("an overlay finds all of them")
  func overlays() {
    let base = source(
      (0..<size).map { document(.volume, "v\($0)", "size: 1Gi") }
        .joined(separator: "---\n"))
    let overlay = source(
      document(.volume, "v2999", "size: 2Gi") + "---\n" + document(.volume, "new", "size: 3Gi"),
      file: "o.yaml")
    let loaded = ManifestLoader.load([base], overlays: [overlay])
    #expect(loaded.resources.map(\.id.name) == (0..<size).map { "v\($0)" } + ["new"])
    #expect(loaded.resources.suffix(2).map { $0.spec["size"]?.integer } == [2 << 30, 3 << 30])
    #expect(loaded.diagnostics.isEmpty)
  }
}
