import CLibyaml

/// What libyaml's bare event loop says about a text.
struct LibyamlOracle {
  /// Why libyaml refuses the text; nil where it reads it to its end.
  struct Refusal: Equatable {
    var problem: String
    /// Line and column from 1; nil where libyaml gives the offset of a byte alone.
    var place: [Int]?
  }

  private(set) var refusal: Refusal?
  /// The texts of all scalars, keys among them, document by document.
  private(set) var scalars: [[String]] = []
  /// How many documents have a root that is a plain scalar without text.
  private(set) var emptyDocuments: [Bool] = []
  /// How deep collections nest.
  private(set) var depth = 0
  private(set) var aliases = 0

  init(_ bytes: [UInt8]) {
    var parser = yaml_parser_t()
    guard yaml_parser_initialize(&parser) != 0 else { return }
    defer { yaml_parser_delete(&parser) }
    // An empty array has no address, and libyaml wants one.
    (bytes + [0]).withUnsafeBufferPointer { buffer in
      yaml_parser_set_input_string(&parser, buffer.baseAddress, bytes.count)
      var level = 0
      while true {
        var event = yaml_event_t()
        guard yaml_parser_parse(&parser, &event) != 0 else {
          refusal = Self.refusal(of: parser)
          return
        }
        defer { yaml_event_delete(&event) }
        switch event.type {
        case YAML_STREAM_END_EVENT: return
        case YAML_DOCUMENT_START_EVENT:
          scalars.append([])
          emptyDocuments.append(false)
        case YAML_SEQUENCE_START_EVENT, YAML_MAPPING_START_EVENT:
          level += 1
          depth = max(depth, level)
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: level -= 1
        case YAML_ALIAS_EVENT: aliases += 1
        case YAML_SCALAR_EVENT:
          let scalar = event.data.scalar
          let isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE && scalar.tag == nil
          if level == 0, isPlain, scalar.length == 0 {
            emptyDocuments[emptyDocuments.count - 1] = true
          }
          let text = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
          scalars[scalars.count - 1].append(String(decoding: text, as: UTF8.self))
        default: break
        }
      }
    }
  }

  private static func refusal(of parser: yaml_parser_t) -> Refusal {
    let problem = parser.problem.map { String(cString: $0) } ?? ""
    let mark = parser.problem_mark
    return Refusal(
      problem: problem,
      place: parser.error == YAML_READER_ERROR ? nil : [mark.line + 1, mark.column + 1])
  }
}
