internal import Diagnostics
internal import Resources

extension Resource {
  /// Where a field stands in the manifest: its own place, else that of the nearest group around it,
  /// else that of the document.
  ///
  /// - Parameter path: with or without `spec.`.
  func place(of path: String) -> SourceSpan? {
    var path = path == "spec" || path.hasPrefix("spec.") ? path : "spec." + path
    while true {
      if let span = written.span(at: path) { return span }
      guard let cut = path.lastIndex(where: { $0 == "." || $0 == "[" }) else { return source }
      path = String(path[..<cut])
    }
  }
}
