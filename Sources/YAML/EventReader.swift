internal import CLibyaml
internal import Glibc

/// libyaml's parser and its current event, freed with the object.
final class EventReader {
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let current: UnsafeMutablePointer<yaml_event_t>
  private var isHoldingEvent = false
  /// Whether libyaml's own memory could be had.
  private let isReady: Bool

  /// Reads a text that must outlive the object; its encoding is told by its byte order mark.
  init(_ bytes: UnsafeBufferPointer<UInt8>) {
    parser = .allocate(capacity: 1)
    parser.initialize(to: yaml_parser_t())
    current = .allocate(capacity: 1)
    current.initialize(to: yaml_event_t())
    isReady = yaml_parser_initialize(parser) != 0
    guard isReady else { return }
    // An empty array may have no address, and libyaml asserts that there is one.
    let base =
      bytes.baseAddress
      ?? UnsafePointer(UnsafeRawPointer(parser).assumingMemoryBound(to: UInt8.self))
    yaml_parser_set_input_string(parser, base, bytes.count)
  }

  deinit {
    if isHoldingEvent { yaml_event_delete(current) }
    if isReady { yaml_parser_delete(parser) }
    current.deallocate()
    parser.deallocate()
  }

  /// Moves to the next event; false where the text is broken, memory is short or nothing is left.
  @inline(__always)
  func advance() -> Bool {
    if isHoldingEvent { yaml_event_delete(current) }
    // Behind its end or an error libyaml goes on to succeed, with events that are none.
    isHoldingEvent =
      isReady && yaml_parser_parse(parser, current) != 0
      && current.pointee.type != YAML_NO_EVENT
    return isHoldingEvent
  }

  /// The current event's type.
  var type: yaml_event_type_t { current.pointee.type }
  /// Where the current event begins.
  var start: YAMLMark { YAMLMark(current.pointee.start_mark) }
  /// Where the current event ends.
  var end: YAMLMark { YAMLMark(current.pointee.end_mark) }

  /// Where the current event begins and ends, in characters from the text's start.
  var range: Range<Int> {
    let start = Int(current.pointee.start_mark.index)
    return start..<max(start, Int(current.pointee.end_mark.index))
  }

  /// Whether the current collection is written with brackets or braces.
  var isFlow: Bool {
    switch type {
    case YAML_SEQUENCE_START_EVENT:
      current.pointee.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE
    default: current.pointee.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
    }
  }

  /// Whether the current scalar is a block, behind `|` or `>`.
  var isBlockScalar: Bool {
    let style = current.pointee.data.scalar.style
    return style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE
  }

  /// The current scalar's text; libyaml has checked that it is UTF-8.
  var text: String {
    let scalar = current.pointee.data.scalar
    return String(
      decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
  }

  /// Whether the current event is a scalar without anchor and tag, as most are.
  var isPureScalar: Bool {
    type == YAML_SCALAR_EVENT && current.pointee.data.scalar.anchor == nil
      && current.pointee.data.scalar.tag == nil
  }

  /// Whether `${` stands in the current scalar.
  var mentionsReference: Bool {
    let scalar = current.pointee.data.scalar
    guard memchr(scalar.value, Int32(UInt8(ascii: "$")), scalar.length) != nil else { return false }
    let text = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
    return text.indices.dropLast().contains { index in
      text[index] == UInt8(ascii: "$") && text[index + 1] == UInt8(ascii: "{")
    }
  }

  /// Whether the current scalar is plain, so that its text decides its type.
  var isPlain: Bool {
    current.pointee.data.scalar.style == YAML_PLAIN_SCALAR_STYLE
      && current.pointee.data.scalar.tag == nil
  }

  /// The name that the current event gives to its node, or that the current alias refers to.
  var anchor: String? {
    let name =
      switch type {
      case YAML_SCALAR_EVENT: current.pointee.data.scalar.anchor
      case YAML_SEQUENCE_START_EVENT: current.pointee.data.sequence_start.anchor
      case YAML_MAPPING_START_EVENT: current.pointee.data.mapping_start.anchor
      default: current.pointee.data.alias.anchor
      }
    return name.map { String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self)) }
  }

  /// The current node's tag, where it was written.
  var tag: String? {
    let tag =
      switch type {
      case YAML_SCALAR_EVENT: current.pointee.data.scalar.tag
      case YAML_SEQUENCE_START_EVENT: current.pointee.data.sequence_start.tag
      default: current.pointee.data.mapping_start.tag
      }
    return tag.map { String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self)) }
  }

  /// What libyaml says about a broken text.
  var failure: Failure {
    let parser = parser.pointee
    guard isReady, parser.error != YAML_MEMORY_ERROR else {
      return Failure(problem: "memory is short", context: nil, contextMark: nil, place: .start)
    }
    let problem = parser.problem.map { String(cString: $0) } ?? "the text is broken"
    if parser.error == YAML_READER_ERROR {
      let value = parser.problem_value
      return Failure(
        problem: problem, context: nil, contextMark: nil, place: .byte(Int(parser.problem_offset)),
        character: value >= 0 ? UInt32(value) : nil)
    }
    return Failure(
      problem: problem, context: parser.context.map { String(cString: $0) },
      contextMark: parser.context == nil ? nil : YAMLMark(parser.context_mark),
      place: .mark(YAMLMark(parser.problem_mark)))
  }

  /// A text that libyaml can't read.
  struct Failure {
    /// Where a text is broken.
    enum Place {
      case start
      case byte(Int)
      case mark(YAMLMark)
    }
    var problem: String
    var context: String?
    var contextMark: YAMLMark?
    var place: Place
    /// The character or byte that is at fault, where libyaml names one.
    var character: UInt32?
  }
}

extension YAMLMark {
  init(_ mark: yaml_mark_t) {
    self.init(
      line: Int32(clamping: mark.line) &+ 1, column: Int32(clamping: mark.column) &+ 1)
  }
}
