import Diagnostics
import Manifests
import Testing

@Suite("Finding manifests")
struct FileTests {
  private func read(_ paths: [String], recursive: Bool = false) -> ([String], [String]) {
    let (sources, problems) = ManifestFiles.read(
      paths, workingDirectory: "/work/dir", isRecursive: recursive
    ) { Array("a: 1".utf8) }
    return (sources.map(\.file), problems.map(\.code.rawValue))
  }

  @Test("a directory gives its manifests by name, and those below when asked")
  func directories() {
    let base = projectDirectory + "/Manifests"
    let (files, problems) = read([base])
    #expect(
      problems.isEmpty && files == files.sorted() && files.contains(base + "/quickstart.yaml"))
    #expect(!files.contains { $0.contains("/invalid/") })
    let (all, _) = read([base + "/"], recursive: true)
    #expect(all.contains(base + "/invalid/tab.yaml") && !all.contains { $0.hasSuffix(".expected") })
  }

  @Test("what is named twice is read once, and standard input too")
  func twice() {
    let file = projectDirectory + "/Manifests/quickstart.yaml"
    #expect(read([file, "-", file, "-"]).0 == [file, "<stdin>"])
  }

  @Test("what can't be read is reported, and the rest is read")
  func missing() {
    let file = projectDirectory + "/Manifests/quickstart.yaml"
    let (files, problems) = read(["/nowhere/x.yaml", projectDirectory + "/Sources", file])
    #expect(files == [file])
    #expect(problems == ["unreadable-file", "no-manifests"])
  }
}
