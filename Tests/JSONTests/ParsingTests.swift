import JSON
import Testing

@Suite("JSON parsing")
struct ParsingTests {
  @Test(
    "a text gives its value",
    arguments: [
      ("null", JSONValue.null), (" true ", true), ("false", false), ("0", 0), ("-0", 0),
      ("9223372036854775807", 9_223_372_036_854_775_807),
      ("-9223372036854775808", .integer(.min)),
      ("9223372036854775808", .number(9.223372036854775808e18)),
      ("1.5", .number(1.5)), ("1e3", .number(1000)), ("-2E-2", .number(-0.02)),
      ("1E+2", .number(100)),
      ("[]", []), ("[1, [2]]", [1, [2]]), ("{}", [:]),
      (#"{"b": 1, "a": {"c": null}}"#, ["b": 1, "a": ["c": nil]]),
      (#""""#, ""), (#""a\"\\\/\b\f\n\r\tz""#, "a\"\\/\u{8}\u{c}\n\r\tz"),
      (#""\u00e9\u20AC\ud83d\ude00""#, "é€😀"), ("\"é\u{7f}\"", "é\u{7f}"),
    ] as [(String, JSONValue)])
  func values(text: String, expected: JSONValue) throws {
    #expect(try JSONValue(parsing: text) == expected)
  }

  @Test(
    "a broken text is refused with the place",
    arguments: [
      ("", 0), ("nul", 3), ("nulls", 4), ("tru e", 3), ("01", 1), ("-", 1), ("-a", 1), ("1.", 2),
      (".5", 0), ("1.e3", 2), ("1e", 2), ("1-2", 1), ("+1", 0), ("1 2", 2), ("[1,]", 3),
      ("[1 2]", 3),
      ("[", 1), ("{", 1), (#"{"a"}"#, 4), (#"{"a":1,}"#, 7), ("{a:1}", 1), (#"{"a":1 "b":2}"#, 7),
      (#"{"a":1,"a":2}"#, 10), (#""a"#, 2), (#""\x""#, 3), (#""\u12g4""#, 3), (#""\u-123""#, 3),
      (#""\ud800""#, 7), (#""\ud800\u0041""#, 13), (#""\udc00""#, 7), ("\"a\nb\"", 3), ("1e999", 5),
      ("\u{feff}1", 0),
    ])
  func refusals(text: String, offset: Int) {
    let error = #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    #expect(error?.offset == offset, "\(text): \(error.map(\.description) ?? "")")
  }

  @Test("bytes that are no UTF-8 are refused")
  func badUTF8() {
    for bytes: [UInt8] in [
      [0x22, 0xff, 0x22], [0x22, 0xc0, 0x80, 0x22], [0x22, 0xe2, 0x82, 0x22],
    ] {
      #expect(throws: JSONError.self) { try JSONValue(parsing: bytes) }
    }
  }

  @Test("depth is limited, so that no text exhausts the stack")
  func depth() throws {
    let deep = String(repeating: "[", count: 4) + String(repeating: "]", count: 4)
    #expect(throws: Never.self) { try JSONValue(parsing: deep, maximumDepth: 3) }
    #expect(throws: JSONError.self) { try JSONValue(parsing: deep, maximumDepth: 2) }
    let bomb = String(repeating: "[", count: 1_000_000)
    #expect(throws: JSONError.self) { try JSONValue(parsing: bomb) }
  }

  @Test("an object with many members is read in order")
  func manyMembers() throws {
    let names = (0..<2000).map { "n\($0)" }
    let text = "{" + names.map { "\"\($0)\":0" }.joined(separator: ",") + "}"
    #expect(try JSONValue(parsing: text).object?.names == names)
  }
}
