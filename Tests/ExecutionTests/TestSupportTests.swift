import SystemIO
import TestSupport
import Testing

@Suite("The tests' own tools")
struct TestSupportTests {
  @Test("a product that was not built is named with the places where it was looked for")
  func missingProduct() throws {
    let error = #expect(throws: BuiltProducts.MissingProduct.self) {
      _ = try BuiltProducts.path(of: "no-such-product")
    }
    let places = try #require(error).directories
    #expect(!places.isEmpty)
    // Where the test bundle lies, the products do.
    #expect(
      places.contains { place in
        let names = (try? namesInDirectory(place)) ?? []  // A place may be gone.
        return names.contains { $0.hasSuffix(".xctest") }
      })
  }

  @Test("a scratch directory undoes what was registered, last first, and goes")
  func scratch() throws {
    var path = ""
    do {
      let scratch = try Scratch()
      path = scratch.path
      let log = try scratch.write("log", "")
      scratch.onEnd { #expect(fileExists(log + ".2")) }
      scratch.onEnd { #expect((try? replaceMarker(log + ".2")) != nil) }  // Nil fails the test.
    }
    #expect(!fileExists(path))
  }
}

private func replaceMarker(_ path: String) throws {
  _ = try Descriptor.open(path, [.write, .create])
}
