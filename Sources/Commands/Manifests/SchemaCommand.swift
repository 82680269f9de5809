internal import ArgumentParser
internal import JSON
internal import Manifests

struct SchemaCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema", abstract: "Print the JSON Schema of manifests, for editors.",
    discussion: """
      Draft 7, which yaml-language-server and others read; of all kinds, or of one. In VS Code: \
      "yaml.schemas": {"./ingot.schema.json": "*.yaml"} in the settings.
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: "A kind such as vm; all of them by default.")
  var kind: String?

  func run() async throws {
    let kind = try kind.map { word in
      let explanation = try Explanation(path: word)
      guard explanation.path.isEmpty else {
        throw ValidationError("name a kind, not a field: \(word)")
      }
      return explanation.kind
    }
    TextStream.output.line(ManifestSchema.json(kind).text(pretty: true))
  }
}
