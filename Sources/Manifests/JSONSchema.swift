public import JSON
internal import Resources

/// The field tables as JSON Schema, draft 7, for editors.
///
/// It says what the decoder says of a document's structure: names, types, forms and limits. What
/// concerns several fields or documents is left to `ingot validate`.
public enum ManifestSchema {
  /// The schema of documents of one kind, or of all kinds.
  public static func json(_ kind: DocumentKind? = nil) -> JSONValue {
    var schema: JSONValue = ["$schema": "http://json-schema.org/draft-07/schema#"]
    if let kind { return merged(schema, document(kind)) }
    let documents = DocumentKind.all.map { ($0.name, document($0)) }
    schema["title"] = "ingot's manifests"
    schema["type"] = "object"
    schema["required"] = ["apiVersion", "kind"]
    schema["properties"] = [
      "apiVersion": apiVersion,
      "kind": [
        "description": "What the document declares.",
        "enum": .array(documents.map { .string($0.0) }),
      ],
    ]
    schema["allOf"] = .array(
      documents.map { name, _ in
        [
          "if": ["properties": ["kind": ["const": .string(name)]], "required": ["kind"]],
          "then": ["$ref": .string("#/definitions/\(name)")],
        ]
      })
    schema["definitions"] = .object(
      JSONObject(members: documents.map { JSONObject.Member(name: $0.0, value: $0.1) }))
    return schema
  }

  // MARK: Documents

  private static let apiVersion: JSONValue = [
    "description": "The version of the language.", "const": .string(ManifestLoader.apiVersion),
  ]

  private static func document(_ kind: DocumentKind) -> JSONValue {
    let spec = kind == .variables ? variables : group(kind.fields)
    var required: [JSONValue] = ["apiVersion", "kind"]
    var metadata = group(Schema.metadata)
    if case .resource = kind {
      required.append("metadata")
    } else {
      metadata["required"] = nil
    }
    if spec["required"] != nil { required.append("spec") }
    return [
      "title": .string(kind.name), "description": .string(kind.doc), "type": "object",
      "required": .array(required),
      "properties": [
        "apiVersion": apiVersion, "kind": ["const": .string(kind.name)], "metadata": metadata,
        "spec": spec,
      ],
      "additionalProperties": false,
    ]
  }

  private static var variables: JSONValue {
    var declaration = group(VariableType.fields)
    declaration["type"] = ["object", "null"]
    return [
      "type": ["object", "null"], "additionalProperties": declaration,
      "propertyNames": ["pattern": "^[A-Za-z_][A-Za-z0-9_]*$"],
    ]
  }

  // MARK: Fields

  private static func group(_ fields: [Field]) -> JSONValue {
    let required = fields.filter(\.isRequired).map { JSONValue.string($0.name) }
    var schema: JSONValue = ["type": required.isEmpty ? ["object", "null"] : "object"]
    schema["properties"] = .object(
      JSONObject(members: fields.map { JSONObject.Member(name: $0.name, value: self.field($0)) }))
    if !required.isEmpty { schema["required"] = .array(required) }
    schema["additionalProperties"] = false
    return schema
  }

  private static func field(_ field: Field) -> JSONValue {
    var schema: JSONValue = ["description": .string(field.doc)]
    schema["markdownDescription"] = .string(markdown(field))
    if let value = field.defaultValue, value != [:] {
      schema["default"] = field.type.humanized(value)
    }
    schema = merged(schema, type(field.type))
    // Nothing written is as if the field were left out.
    if !field.isRequired, let kinds = schema["type"] {
      schema["type"] = .array((kinds.array ?? [kinds]).filter { $0 != "null" } + ["null"])
    } else if !field.isRequired, let ways = schema["anyOf"]?.array {
      schema["anyOf"] = .array(ways + [["type": "null"]])
    }
    return schema
  }

  private static func markdown(_ field: Field) -> String {
    var lines = [field.doc, "", "*\(field.type.summary)*"]
    if let limits = field.type.limits { lines[2] += ", \(limits)" }
    if let value = field.defaultText { lines[2] += ", default `\(value)`" }
    if let change = field.changeText {
      lines += ["", "**Change:** \(change)" + (field.wayRound.map { "; \($0)" } ?? "")]
    }
    return lines.joined(separator: "\n")
  }

  /// What a reference to a variable matches, alone or within a text.
  private static let reference = #"\$\{var\.[A-Za-z_]"#

  private static func type(_ type: FieldType) -> JSONValue {
    switch type {
    case .text(let format): text(format)
    case .reference: text(.name)
    case .bool: ["type": ["boolean", "string"], "pattern": .string(reference)]
    case .integer(let limits):
      merged(
        ["type": ["integer", "string"], "pattern": .string(reference)], numbers(limits, per: 1))
    case .bytes(let limits):
      merged(
        quantity(#"^[0-9]+(\.[0-9]+)?([KMGTPE]i|[kMGTPE])?$"#), numbers(limits, per: 1))
    case .millicores(let limits):
      merged(quantity(#"^[0-9]+(\.[0-9]+)?m?$"#), numbers(limits, per: 1000))
    case .seconds:
      [
        "type": "string",
        "pattern": .string(#"^(?=[0-9])([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$|"# + reference),
      ]
    case .choice(let words):
      [
        "anyOf": [
          ["enum": .array(words.map(JSONValue.string))],
          ["type": "string", "pattern": .string(reference)],
        ]
      ]
    case .object(let fields): group(fields)
    case .oneOf(let fields): merged(group(fields), ["minProperties": 1, "maxProperties": 1])
    case .list(let element): list(self.type(element))
    case .keyedList(_, let fields): list(group(fields))
    case .map:
      [
        "type": "object",
        "additionalProperties": ["type": ["string", "number", "boolean", "null"]],
      ]
    case .any: [:]
    }
  }

  private static func list(_ items: JSONValue) -> JSONValue {
    ["type": ["array", "string"], "items": items, "pattern": .string(reference)]
  }

  private static func quantity(_ pattern: String) -> JSONValue {
    ["type": ["string", "number"], "pattern": .string(pattern + "|" + reference)]
  }

  private static func numbers(_ limits: ClosedRange<Int64>, per unit: Int64) -> JSONValue {
    var schema: JSONValue = [:]
    if limits.lowerBound > .min { schema["minimum"] = .integer(limits.lowerBound / unit) }
    if limits.upperBound < .max { schema["maximum"] = .integer(limits.upperBound / unit) }
    return schema
  }

  /// A plain number or `true` is a text too where a text is expected.
  private static func text(_ format: TextFormat) -> JSONValue {
    var schema: JSONValue = ["type": ["string", "number", "boolean"]]
    if let pattern = format.pattern {
      schema["pattern"] = .string("\(pattern)|\(reference)")
    } else {
      schema["minLength"] = 1
    }
    return schema
  }

  private static func merged(_ schema: JSONValue, _ more: JSONValue) -> JSONValue {
    var schema = schema
    for member in more.object?.members ?? [] { schema[member.name] = member.value }
    return schema
  }
}

extension TextFormat {
  /// The format as a regular expression (ECMA 262); nil where any text will do.
  fileprivate var pattern: String? {
    let octet = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
    let ipv4 = #"(\#(octet)\.){3}\#(octet)"#
    let ipv4Length = "(3[0-2]|[12]?[0-9])"
    // As many forms as there are: that it is one is for `ingot validate` to say.
    let ipv6 = "(?=[^:]*:[^:]*:)[0-9A-Fa-f:]+(:[0-9.]+)?"
    let ipv6Length = "(12[0-8]|1[01][0-9]|[1-9]?[0-9])"
    let port = "[1-9][0-9]{0,4}"
    let label = "[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?"
    return switch self {
    case .plain, .path: nil
    case .name: "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
    case .hostName: #"^\#(label)(\.\#(label))*$"#
    case .ipv4: "^\(ipv4)$"
    case .ipv4Network: "^\(ipv4)/\(ipv4Length)$"
    case .ipv6: "^\(ipv6)$"
    case .ipv6Network: "^\(ipv6)/\(ipv6Length)$"
    case .address: "^(\(ipv4)|\(ipv6))$"
    case .peer:
      "^(\(ipv4)(/\(ipv4Length))?|\(ipv6)(/\(ipv6Length))?"
        + "|group:[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)$"
    case .ports: "^\(port)(-\(port))?$"
    case .mac: "^[0-9A-Fa-f][02468ACEace]([:-][0-9A-Fa-f]{2}){5}$"
    case .word: "^[A-Za-z0-9][A-Za-z0-9._+-]*$"
    case .interface: "^[A-Za-z0-9][A-Za-z0-9._+-]{0,14}$"
    case .argument: #"^[^-\s]\S*$"#
    }
  }
}
