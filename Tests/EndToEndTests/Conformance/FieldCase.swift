import JSON
import Resources

/// A change of one field of what a running guest is made of or uses: what is promised of it, and how
/// it shows that the promise was kept.
struct FieldCase: Sendable {
  /// What the plan and the outcome of its act must say.
  enum Promise: Sendable, Equatable {
    /// The guest is not concerned.
    case none
    /// In effect at once, in the same process.
    case live
    /// In effect with the next boot, and told by `RestartRequired` until then.
    case nextBoot
    /// The guest is stopped; it is started again where its run strategy wants it.
    case restart
    /// The machine is made anew under its name.
    case replace
    /// Not done, for the reason of this code.
    case refused(String)
    /// No manifest can say it: an error of this code, before there is a plan.
    case invalid(String)
  }

  /// Whose field: `VirtualMachine/box`.
  var subject: String
  /// The field as README's table writes it, or `metadata.labels`.
  var field: String
  /// What is changed in the manifests.
  var edits: [Edit]
  /// The paths that the plan names; they are the ones that differ.
  var paths: [String]
  var promise: Promise
  /// Options of `apply`.
  var options: [String]
  /// What is seen once it is in effect: at once, or after the next boot.
  var shown: String?
  /// How the guest or its host is asked for that.
  var look: @Sendable (Rehearsal) async throws -> String

  /// - Parameters:
  ///   - path: where in `spec` the change is made, where the field's own path doesn't say that.
  ///   - value: the value afterwards; nil takes the field away.
  ///   - paths: what the plan names, where that isn't `path`.
  ///   - shown: what `look` finds, now or within seconds.
  init(
    _ subject: String, _ field: String, at path: String? = nil, to value: JSONValue?,
    and others: [Edit] = [], _ promise: Promise, paths: [String]? = nil, options: [String] = [],
    shows shown: String? = nil,
    look: @escaping @Sendable (Rehearsal) async throws -> String = { _ in "" }
  ) {
    self.subject = subject
    self.field = field
    let path = path ?? field
    edits = [Edit(subject, path, to: value)] + others
    self.paths = paths ?? [path]
    self.promise = promise
    self.options = options
    self.shown = shown
    self.look = look
  }

  var kind: Kind? { subject.split(separator: "/").first.flatMap { Kind(rawValue: String($0)) } }
  var label: String { "\(subject) \(field)" }
}

/// A value put into a manifest, or taken out of it.
struct Edit: Sendable {
  var subject: String
  var path: String
  var value: JSONValue?

  /// - Parameter path: below `spec`, or `metadata.`; an element of a list by its name in brackets.
  init(_ subject: String, _ path: String, to value: JSONValue?) {
    self.subject = subject
    self.path = path
    self.value = value
  }

  /// Makes the change in a manifest.
  func apply(to manifest: inout JSONValue) {
    let path = path.hasPrefix("metadata.") ? path : "spec.\(path)"
    let parts = path.split { ".[".contains($0) }.map {
      $0.hasSuffix("]") ? "[" + $0.dropLast() : String($0)
    }
    manifest = Self.changed(manifest, parts[...], value) ?? [:]
  }

  private static func changed(
    _ value: JSONValue?, _ parts: ArraySlice<String>, _ new: JSONValue?
  ) -> JSONValue? {
    guard let part = parts.first else { return new }
    guard part.hasPrefix("[") else {
      var object = value ?? [:]
      object[part] = changed(object[part], parts.dropFirst(), new)
      return object
    }
    let name = part.dropFirst()
    var list = value?.array ?? []
    let index = list.firstIndex { $0["name"]?.string == String(name) } ?? Int(name) ?? list.count
    let element = changed(index < list.count ? list[index] : nil, parts.dropFirst(), new)
    list.replaceSubrange(index..<min(index + 1, list.count), with: element.map { [$0] } ?? [])
    return .array(list)
  }
}
