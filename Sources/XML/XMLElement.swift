/// An element of an XML document, with what stands in it.
///
/// For documents of data: text and elements in one element are not put in order to each other.
public struct XMLElement: Sendable, Hashable {
  /// One attribute.
  public struct Attribute: Sendable, Hashable {
    /// The name without its prefix.
    public var name: String
    /// The value.
    public var value: String

    /// Makes an attribute.
    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// The name without its prefix.
  public var name: String
  /// The namespace's name; empty for none.
  public var namespace: String
  /// The attributes, in order.
  public var attributes: [Attribute]
  /// The elements in it, in order.
  public var children: [XMLElement]
  /// The text in it, blanks around it left out.
  public var text: String
  /// The line in which its start tag ends, counted from 1.
  ///
  /// 0 for an element that was made. Beyond line 65534 it may be a few lines later.
  public var line: Int

  /// Makes an element.
  public init(
    _ name: String, _ attributes: KeyValuePairs<String, String> = [:], text: String = "",
    _ children: [XMLElement] = []
  ) {
    self.name = name
    namespace = ""
    self.attributes = attributes.map { Attribute(name: $0.key, value: $0.value) }
    self.children = children
    self.text = text
    line = 0
  }

  /// An attribute's value; nil where there is none.
  public subscript(attribute: String) -> String? {
    attributes.first { $0.name == attribute }?.value
  }

  /// The first element of a name in it.
  public func child(_ name: String) -> XMLElement? { children.first { $0.name == name } }

  /// The elements of a name in it.
  public func children(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

  /// The element as text, indented by two spaces a level.
  public func document() -> String {
    var lines: [String] = []
    write(indent: "", into: &lines)
    return lines.joined(separator: "\n") + "\n"
  }

  private func write(indent: String, into lines: inout [String]) {
    let start = attributes.reduce("\(indent)<\(name)") { text, attribute in
      text + " \(attribute.name)='\(Self.escaped(attribute.value))'"
    }
    if children.isEmpty {
      let content = Self.escaped(text)
      lines.append(content.isEmpty ? start + "/>" : "\(start)>\(content)</\(name)>")
      return
    }
    lines.append(start + ">")
    for child in children { child.write(indent: indent + "  ", into: &lines) }
    lines.append("\(indent)</\(name)>")
  }

  /// The text with markup made harmless; what XML 1.0 has no sign for becomes U+FFFD.
  private static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "'": escaped += "&apos;"
      case "\"": escaped += "&quot;"
      case "\t", "\n", "\r": escaped += "&#\(scalar.value);"
      case "\u{0}"..."\u{1f}", "\u{fffe}", "\u{ffff}": escaped += "\u{fffd}"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
