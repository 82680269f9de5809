import Manifests

/// Loads manifests; the diagnostics must be printable too.
func tryManifest(_ input: [UInt8]) -> CInt {
  let source = ManifestSource(file: "input.yaml", directory: "/nowhere", bytes: input)
  let loaded = ManifestLoader.load([source])
  _ = loaded.renderedDiagnostics()
  return 0
}
