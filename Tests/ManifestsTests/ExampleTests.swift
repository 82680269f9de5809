import Diagnostics
import Manifests
import Resources
import Testing

@Suite("Examples")
struct ExampleTests {
  private func load(_ file: String, named name: String, known: Set<ResourceID> = []) throws
    -> LoadedManifests
  {
    ManifestLoader.load([source(try #require(projectText(file)), file: name)], known: known)
  }

  @Test("there are examples, good and bad")
  func presence() {
    #expect(projectManifests(in: "Manifests").count >= 5)
    #expect(projectManifests(in: "Manifests/invalid").count >= 5)
    #expect(projectManifests(in: "Images") != [])
  }

  @Test(
    "an example loads without a complaint",
    arguments: projectManifests(in: "Manifests") + projectManifests(in: "Images"))
  func good(file: String) throws {
    let loaded = try load(file, named: file, known: [ResourceID(.image, "debian-12")])
    #expect(loaded.renderedDiagnostics() == "")
    #expect(!loaded.resources.isEmpty)
  }

  @Test(
    "an invalid manifest gives exactly the diagnostics beside it",
    arguments: projectManifests(in: "Manifests/invalid"))
  func bad(file: String) throws {
    let name = file.split(separator: "/").last.map(String.init) ?? ""
    let loaded = try load(file, named: name)
    let expected = projectText(file.dropLast(".yaml".count) + ".expected")
    #expect(loaded.renderedDiagnostics() + "\n" == expected)
    #expect(loaded.hasErrors)
  }

  @Test("the quickstart is the image's and its own documents together")
  func quickstart() throws {
    let image = try load("Images/debian-12.yaml", named: "debian-12.yaml")
    let files = image.sources + (try load("Manifests/quickstart.yaml", named: "q.yaml")).sources
    let loaded = ManifestLoader.load(files)
    #expect(loaded.renderedDiagnostics() == "")
    #expect(
      loaded.resources.map(\.id.description) == [
        "Image/debian-12", "ResourcePool/dev", "Network/lab", "Volume/data", "VirtualMachine/web1",
        "VirtualMachine/web2",
      ])
  }
}
