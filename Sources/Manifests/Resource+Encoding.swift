public import JSON
public import Resources

extension Resource {
  /// The resource as a manifest would declare it: quantities as text, defaults written out.
  public var manifest: JSONValue {
    var metadata: JSONObject = ["name": .string(id.name)]
    for (name, labels) in [("labels", labels), ("annotations", annotations)] where !labels.isEmpty {
      metadata[name] = .object(
        JSONObject(
          members: labels.map {
            JSONObject.Member(name: $0.name, value: .string(ReferenceText.escaped($0.value)))
          }))
    }
    let schema = Schema.table(for: id.kind)
    return [
      "apiVersion": .string(ManifestLoader.apiVersion), "kind": .string(id.kind.rawValue),
      "metadata": .object(metadata),
      "spec": escaped(FieldType.object(schema.fields).humanized(spec), at: []),
    ]
  }

  /// A value with its texts written so that loading gives them again.
  private func escaped(_ value: JSONValue, at path: [String]) -> JSONValue {
    switch value {
    case .string(let text):
      let isSeed =
        path.starts(with: ["cloudInit", "userData"])
        || path.starts(with: ["cloudInit", "networkData"])
      return .string(ReferenceText.escaped(text, keepsSecrets: isSeed))
    case .array(let items): return .array(items.map { escaped($0, at: path) })
    case .object(let object):
      return .object(
        JSONObject(
          members: object.members.map { member in
            let path = path.count < 2 ? path + [member.name] : path
            return JSONObject.Member(name: member.name, value: escaped(member.value, at: path))
          }))
    default: return value
    }
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
