/// One thing that is wrong, or worth saying, about what the user wrote.
///
/// Printed as `file:line:col: error[CODE]: field.path: message`, the line with a caret, then `help:`.
public struct Diagnostic: Error, Hashable, Sendable {
  /// How bad it is; only errors stop a command.
  public enum Severity: String, Sendable, Comparable {
    case warning
    case error

    /// A warning weighs less than an error.
    public static func < (a: Severity, b: Severity) -> Bool { a == .warning && b == .error }
  }

  /// How bad it is.
  public var severity: Severity
  /// The stable code, such as `unknown-field`.
  public var code: DiagnosticCode
  /// The path of the field, such as `spec.disks[1].size`; empty where none applies.
  public var path: String
  /// What is wrong, with the offending value; lower case, no full stop.
  public var message: String
  /// Where it stands; nil for what no file holds.
  public var span: SourceSpan?
  /// How to mend it.
  public var help: String?

  /// Makes an error; pass `severity: .warning` for what need not stop the command.
  public init(
    _ code: DiagnosticCode, _ message: String, path: String = "", at span: SourceSpan? = nil,
    help: String? = nil, severity: Severity = .error
  ) {
    self.severity = severity
    self.code = code
    self.path = path
    self.message = message
    self.span = span
    self.help = help
  }
}

/// A stable name for one sort of problem; new codes do not break callers.
public struct DiagnosticCode: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral {
  /// The code as printed, in kebab case.
  public let rawValue: String

  /// Makes a code from its printed form.
  public init(rawValue: String) { self.rawValue = rawValue }

  /// Makes a code from a literal.
  public init(stringLiteral value: String) { self.rawValue = value }
}

/// Several diagnostics thrown together, so that all that is wrong is reported at once.
public struct Diagnostics: Error, Sendable {
  /// What is wrong, in source order.
  public var all: [Diagnostic]

  /// Wraps a list of diagnostics.
  public init(_ all: [Diagnostic]) { self.all = all }
}
