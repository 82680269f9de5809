import Diagnostics
import JSON
import Manifests
import Resources

/// Loads one text as `m.yaml` in the directory `/site`.
func load(_ text: String, known: Set<ResourceID> = []) -> LoadedManifests {
  ManifestLoader.load([source(text)], known: known)
}

/// A text as a manifest in the directory `/site`.
func source(_ text: String, file: String = "m.yaml") -> ManifestSource {
  ManifestSource(file: file, directory: "/site", bytes: Array(text.utf8))
}

/// A document of a kind with the given lines under `spec`.
func document(_ kind: Kind, _ name: String, _ spec: String) -> String {
  let lines = spec.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n")
  return
    "apiVersion: ingot/v1\nkind: \(kind.rawValue)\nmetadata: {name: \(name)}\nspec:\n\(lines)\n"
}

/// The project's top folder, found from this file.
let projectDirectory = #filePath.split(separator: "/", omittingEmptySubsequences: false)
  .dropLast(3).joined(separator: "/")

/// The text of a file of the project; nil where there is none.
func projectText(_ path: String) -> String? {
  let found = ManifestFiles.read(
    [projectDirectory + "/" + path], workingDirectory: "/site", standardInput: { [] })
  return found.sources.first.map { String(decoding: $0.bytes, as: UTF8.self) }
}

/// The manifests of a folder of the project, by their paths in the project.
func projectManifests(in folder: String) -> [String] {
  ManifestFiles.read(
    [projectDirectory + "/" + folder], workingDirectory: "/site", standardInput: { [] }
  ).sources.map { String($0.file.dropFirst(projectDirectory.count + 1)) }
}

/// SplitMix64: a seed gives the same values everywhere.
struct Generator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
