internal import Resources

/// The reference of all kinds and fields as Markdown, for the README between its `fields` markers.
public func referenceMarkdown() -> String {
  var lines: [String] = []
  for kind in Kind.allCases {
    let schema = Schema.table(for: kind)
    lines += [
      "### \(kind.rawValue)", "", "\(schema.doc) Short name: `\(kind.shortName)`.", "",
      "| Field of `spec` | Type | Default | Change | Meaning |",
      "| --- | --- | --- | --- | --- |",
    ]
    for field in schema.fields { addRows(field, "", &lines) }
    lines.append("")
  }
  return lines.joined(separator: "\n")
}

private func addRows(_ field: Field, _ prefix: String, _ lines: inout [String]) {
  let name = prefix + field.name
  var type = field.type.summary.split(separator: "|").joined(separator: "\\|")
  if let limits = field.type.limits { type += " (\(limits))" }
  let value = field.isRequired ? "required" : field.defaultText.map { "`\($0)`" } ?? ""
  lines.append("| `\(name)` | \(type) | \(value) | \(field.changeWord) | \(field.doc) |")
  let suffix =
    switch field.type {
    case .keyedList, .list: "[]."
    default: "."
    }
  for child in field.type.fields { addRows(child, name + suffix, &lines) }
}
