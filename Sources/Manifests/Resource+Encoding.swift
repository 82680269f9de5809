public import JSON
public import Resources

extension Resource {
  /// The resource as a manifest would declare it: quantities as text, defaults written out.
  public var manifest: JSONValue {
    var metadata: JSONObject = ["name": .string(id.name)]
    for (name, labels) in [("labels", labels), ("annotations", annotations)] where !labels.isEmpty {
      metadata[name] = .object(
        JSONObject(
          members: labels.map { JSONObject.Member(name: $0.name, value: .string($0.value)) }))
    }
    let schema = Schema.table(for: id.kind)
    return [
      "apiVersion": .string(ManifestLoader.apiVersion), "kind": .string(id.kind.rawValue),
      "metadata": .object(metadata), "spec": FieldType.object(schema.fields).humanized(spec),
    ]
  }

  /// The manifest as one YAML document, without `---`; loading it gives the same resource.
  public var manifestText: String {
    var writer = YAMLWriter()
    writer.write(manifest.object ?? [:])
    return writer.text
  }
}

/// Resources as one YAML text, a document each.
public func manifestText(of resources: [Resource]) -> String {
  resources.map(\.manifestText).joined(separator: "---\n")
}
