public import Resources

/// What a document of a manifest can be: a resource of a kind, variables, or a patch.
public enum DocumentKind: Hashable, Sendable {
  /// A resource.
  case resource(Kind)
  /// Variables, which `${var.NAME}` stands for.
  case variables
  /// A patch of one resource, in an overlay.
  case patch

  /// All of them, resources first.
  public static let all = Kind.allCases.map(resource) + [variables, patch]

  /// The kind that a word of the command line means, such as `vm` or `Variables`.
  public init?(word: String) {
    if let kind = Kind(word: word) {
      self = .resource(kind)
    } else if let other = [Self.variables, .patch].first(where: {
      $0.name.lowercased() == word.lowercased()
    }) {
      self = other
    } else {
      return nil
    }
  }

  /// The name, as documents have it.
  public var name: String {
    switch self {
    case .resource(let kind): kind.rawValue
    case .variables: VariableDeclaration.kind
    case .patch: PatchDocument.kind
    }
  }

  /// The word for the command line, where there is a shorter one.
  public var shortName: String? {
    if case .resource(let kind) = self { kind.shortName } else { nil }
  }

  /// One sentence of documentation.
  public var doc: String {
    switch self {
    case .resource(let kind): Schema.table(for: kind).doc
    case .variables: "Variables by their names; ${var.NAME} stands for the value."
    case .patch: "Operations of JSON Patch on one resource, for overlays."
    }
  }

  /// The fields of `spec`; a variable's name stands as `NAME`.
  var fields: [Field] {
    switch self {
    case .resource(let kind): Schema.table(for: kind).fields
    case .variables: [Field("NAME", .object(VariableType.fields), "A variable of that name.")]
    case .patch: PatchDocument.fields
    }
  }
}
