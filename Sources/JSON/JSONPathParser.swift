/// Reads a `JSONPath`; small enough to be read by descent.
struct JSONPathParser {
  /// Filters inside filters, at most.
  private static let depthLimit = 8

  private let whole: [Character]
  private var place = 0
  private var depth = 0

  init(_ text: String) { whole = Array(text) }

  mutating func parse() throws(JSONPath.Problem) -> [JSONPath.Step] {
    let hasBraces = take("{")
    _ = take("$")
    if !hasBraces, let next = peek, next != ".", next != "[" {
      throw problem("a path begins with '.', such as {.status.phase}")
    }
    let steps = try parseSteps()
    if hasBraces {
      guard take("}") else { throw problem("'}' is missing") }
    }
    guard peek == nil else { throw problem("there is more than one path, which can't be compared") }
    guard !steps.isEmpty else { throw problem("the path is empty") }
    return steps
  }

  private mutating func parseSteps() throws(JSONPath.Problem) -> [JSONPath.Step] {
    var steps: [JSONPath.Step] = []
    while let next = peek {
      if next == "." {
        place += 1
        if peek == "." { throw problem("'..' is not supported; write the whole path") }
        if take("*") {
          steps.append(.all)
        } else if peek != "[" {
          steps.append(.member(try name()))
        }
      } else if next == "[" {
        place += 1
        steps.append(try parseBracket())
      } else {
        break
      }
    }
    return steps
  }

  private mutating func parseBracket() throws(JSONPath.Problem) -> JSONPath.Step {
    let step: JSONPath.Step
    switch peek {
    case "*":
      place += 1
      step = .all
    case "'", "\"": step = .member(try quoted())
    case "?":
      place += 1
      guard take("(") else { throw problem("a filter is written [?(@.name==\"value\")]") }
      step = .filter(try parseFilter())
      guard take(")") else { throw problem("')' is missing behind the filter") }
    default:
      let start = place
      _ = take("-")
      while let next = peek, next.isASCII, next.isNumber { place += 1 }
      guard let index = Int(String(whole[start..<place])) else {
        place = start
        throw problem("a number, '*', a quoted name or a filter ?(...) is expected")
      }
      step = .item(index)
    }
    if peek == ":" || peek == "," { throw problem("slices and unions are not supported") }
    guard take("]") else { throw problem("']' is missing") }
    return step
  }

  private mutating func parseFilter() throws(JSONPath.Problem) -> JSONPath.Filter {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthLimit else { throw problem("filters are nested too deeply") }
    skipBlanks()
    guard take("@") else { throw problem("a filter begins with '@', such as ?(@.type==\"Ready\")") }
    let steps = try parseSteps()
    skipBlanks()
    for comparison in JSONPath.Filter.Comparison.allCases where take(comparison.rawValue) {
      skipBlanks()
      let value = try parseValue()
      skipBlanks()
      return JSONPath.Filter(steps: steps, test: .init(comparison: comparison, value: value))
    }
    if peek == "&" || peek == "|" { throw problem("'&&' and '||' are not supported") }
    if peek == "=" { throw problem("equality is written '=='") }
    return JSONPath.Filter(steps: steps)
  }

  private mutating func parseValue() throws(JSONPath.Problem) -> JSONValue {
    if peek == "'" || peek == "\"" { return .string(try quoted()) }
    let start = place
    while let next = peek, next != ")", next != " ", next != "]" { place += 1 }
    // Read by the parser of JSON, whose own words would name another place.
    guard let value = try? JSONValue(parsing: String(whole[start..<place])) else {
      place = start
      throw problem("a quoted text, a number, true, false or null is expected")
    }
    return value
  }

  private mutating func name() throws(JSONPath.Problem) -> String {
    let start = place
    while let next = peek, next.isLetter || next.isNumber || next == "_" || next == "-" {
      place += 1
    }
    guard place > start else { throw problem("a name is expected") }
    return String(whole[start..<place])
  }

  private mutating func quoted() throws(JSONPath.Problem) -> String {
    let start = place
    let mark = whole[place]
    place += 1
    var text = ""
    while let next = peek, next != mark {
      place += 1
      if next == "\\", let escaped = peek {
        text.append(escaped)
        place += 1
      } else {
        text.append(next)
      }
    }
    guard take(String(mark)) else {
      place = start
      throw problem("the quotation has no end")
    }
    return text
  }

  private var peek: Character? { place < whole.count ? whole[place] : nil }

  private mutating func skipBlanks() { while peek == " " { place += 1 } }

  private mutating func take(_ text: String) -> Bool {
    let characters = Array(text)
    guard whole[place...].starts(with: characters) else { return false }
    place += characters.count
    return true
  }

  private func problem(_ what: String) -> JSONPath.Problem {
    JSONPath.Problem(description: "column \(place + 1) of '\(String(whole))': \(what)")
  }
}
