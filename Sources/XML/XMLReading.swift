internal import CLibxml2

/// Why a document can't be used.
public struct XMLError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The line, counted from 1; 0 where none can be named.
  public var line: Int
  /// What is wrong there.
  public var message: String
  /// Both.
  public var description: String { line > 0 ? "line \(line): \(message)" : message }
}

/// What a document may hold before it is refused.
public struct XMLLimits: Sendable, Hashable {
  /// Bytes of the document.
  public var bytes: Int
  /// Elements inside each other.
  public var depth: Int
  /// Elements in all.
  public var elements: Int

  /// Sets limits.
  public init(bytes: Int = 4 << 20, depth: Int = 64, elements: Int = 100_000) {
    self.bytes = bytes
    self.depth = depth
    self.elements = elements
  }
}

extension XMLElement {
  /// Reads a document from outside.
  ///
  /// Nothing but the bytes is read: no network, no other file. A document type is refused, and with
  /// it every entity but the five that XML itself has.
  ///
  /// - Throws: `XMLError` with the line.
  public init(parsing bytes: [UInt8], limits: XMLLimits = XMLLimits()) throws(XMLError) {
    guard bytes.count <= limits.bytes else {
      throw XMLError(
        line: 0, message: "it has \(bytes.count) bytes; at most \(limits.bytes) are read")
    }
    let reader = try XMLReader(bytes, limits)
    self = try reader.root()
  }
}

/// Builds the tree from libxml2's pull parser.
private final class XMLReader {
  private let reader: xmlTextReaderPtr
  private let limits: XMLLimits
  /// The elements that are open, outermost first.
  private var open: [XMLElement] = []
  private var count = 0

  /// libxml2 keeps a copy of the bytes.
  init(_ bytes: [UInt8], _ limits: XMLLimits) throws(XMLError) {
    self.limits = limits
    // NONET: no network. NOERROR, NOWARNING: nothing on standard error. Not NOENT, DTDLOAD or HUGE: entities stay unexpanded, limits stay in force.
    let options =
      XML_PARSE_NONET.rawValue | XML_PARSE_NOERROR.rawValue | XML_PARSE_NOWARNING.rawValue
      | XML_PARSE_NOCDATA.rawValue
    xmlResetLastError()
    let made = bytes.withUnsafeBytes { buffer in
      xmlReaderForMemory(
        buffer.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(buffer.count), nil, nil,
        Int32(bitPattern: UInt32(options)))
    }
    guard let made else { throw XMLError(line: 0, message: "it is empty or memory ran out") }
    reader = made
  }

  deinit { xmlFreeTextReader(reader) }

  func root() throws(XMLError) -> XMLElement {
    var root: XMLElement?
    while true {
      let result = xmlTextReaderRead(reader)
      if result == 0 { break }
      guard result == 1 else { throw lastError }
      if let element = try takeNode() { root = element }
    }
    guard let root else { throw XMLError(line: 0, message: "it holds no element") }
    return root
  }

  /// Takes the node at hand; gives the outermost element when it ends.
  private func takeNode() throws(XMLError) -> XMLElement? {
    switch XMLNodeType(rawValue: xmlTextReaderNodeType(reader)) {
    case .element:
      var element = try makeElement()
      let isEmpty = xmlTextReaderIsEmptyElement(reader) == 1
      element.attributes = attributes()
      open.append(element)
      return isEmpty ? close() : nil
    case .endElement: return close()
    case .text, .characterData:
      if let last = open.indices.last, let text = xmlTextReaderConstValue(reader) {
        open[last].text += string(text)
      }
    case .documentType:
      throw XMLError(line: line, message: "a document type (<!DOCTYPE>) is not accepted")
    case .entityReference:
      throw XMLError(line: line, message: "the entity '\(name)' is not known")
    case .other: break
    }
    return nil
  }

  private func makeElement() throws(XMLError) -> XMLElement {
    count += 1
    guard count <= limits.elements else {
      throw XMLError(line: line, message: "it has more than \(limits.elements) elements")
    }
    guard open.count < limits.depth else {
      throw XMLError(
        line: line, message: "elements are nested more than \(limits.depth) levels deep")
    }
    var element = XMLElement(name)
    element.line = line
    element.namespace = xmlTextReaderConstNamespaceUri(reader).map(string) ?? ""
    return element
  }

  private func attributes() -> [XMLElement.Attribute] {
    var found: [XMLElement.Attribute] = []
    while xmlTextReaderMoveToNextAttribute(reader) == 1 {
      // Declarations of namespaces are no data.
      guard xmlTextReaderIsNamespaceDecl(reader) != 1 else { continue }
      found.append(
        XMLElement.Attribute(
          name: name, value: xmlTextReaderConstValue(reader).map(string) ?? ""))
    }
    xmlTextReaderMoveToElement(reader)
    return found
  }

  private func close() -> XMLElement? {
    guard var element = open.popLast() else { return nil }
    element.text = trimmed(element.text)
    guard let parent = open.indices.last else { return element }
    open[parent].children.append(element)
    return nil
  }

  private var name: String { xmlTextReaderConstLocalName(reader).map(string) ?? "" }

  private var line: Int {
    guard let node = xmlTextReaderCurrentNode(reader) else {
      return Int(xmlTextReaderGetParserLineNumber(reader))
    }
    let line = xmlGetLineNo(node)
    // Nodes have 16 bits for it; the parser's own place is a little ahead.
    return 1..<65_535 ~= line ? line : Int(xmlTextReaderGetParserLineNumber(reader))
  }

  private var lastError: XMLError {
    guard let error = xmlGetLastError() else {
      return XMLError(line: line, message: "it is no well-formed XML")
    }
    let message = error.pointee.message.map { String(cString: $0) } ?? "it is no well-formed XML"
    return XMLError(
      line: Int(error.pointee.line),
      message: trimmed(message.split(whereSeparator: \.isNewline).joined(separator: " ")))
  }
}

private func string(_ text: UnsafePointer<xmlChar>) -> String { String(cString: text) }

private func trimmed(_ text: String) -> String {
  let kept = text.drop { $0.isWhitespace }
  guard let last = kept.lastIndex(where: { !$0.isWhitespace }) else { return "" }
  return String(kept[...last])
}

/// The kinds of nodes that say something here (libxml/xmlreader.h).
private enum XMLNodeType {
  case element, endElement, text, characterData, documentType, entityReference, other

  init(rawValue: Int32) {
    switch UInt32(bitPattern: rawValue) {
    case XML_READER_TYPE_ELEMENT.rawValue: self = .element
    case XML_READER_TYPE_END_ELEMENT.rawValue: self = .endElement
    case XML_READER_TYPE_TEXT.rawValue, XML_READER_TYPE_SIGNIFICANT_WHITESPACE.rawValue:
      self = .text
    case XML_READER_TYPE_CDATA.rawValue: self = .characterData
    case XML_READER_TYPE_DOCUMENT_TYPE.rawValue: self = .documentType
    case XML_READER_TYPE_ENTITY_REFERENCE.rawValue: self = .entityReference
    default: self = .other
    }
  }
}

/// The version of libxml2 that this was built with.
public var libxml2Version: String { LIBXML_DOTTED_VERSION }
