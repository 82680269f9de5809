import JSON
import Testing

@Suite("JSON writing")
struct WritingTests {
  @Test("a value has one compact text")
  func compact() {
    let value: JSONValue = [
      "b": [1, true, nil, "é\"\\\n\u{1}\u{7f}\u{85}\u{2028}"], "a": [:], "c": [], "d": .number(0.1),
    ]
    #expect(
      value.text()
        == #"{"b":[1,true,null,"é\"\\\n\u0001\u007f\u0085\u2028"],"a":{},"c":[],"d":0.1}"#)
    #expect(value.text(sortedNames: true).hasPrefix(#"{"a":{},"b":["#))
  }

  @Test("a pretty text has a member a line")
  func pretty() {
    let value: JSONValue = ["a": [1, 2], "b": ["c": [:]]]
    #expect(
      value.text(pretty: true) == """
        {
          "a": [
            1,
            2
          ],
          "b": {
            "c": {}
          }
        }
        """)
  }

  @Test("infinities, which JSON lacks, become null")
  func infinities() {
    #expect(JSONValue.array([.number(.infinity), .number(.nan)]).text() == "[null,null]")
  }

  @Test("reading what was written gives the same value", arguments: 0..<4)
  func roundTrip(salt: UInt64) throws {
    let seed = UInt64.random(in: 0...UInt64.max) &+ salt
    var generator = Generator(state: seed)
    for _ in 0..<200 {
      let value = Self.value(&generator, depth: 4)
      for pretty in [false, true] {
        let text = value.text(pretty: pretty)
        #expect(try JSONValue(parsing: text) == value, "seed \(seed): \(text)")
      }
    }
  }

  private static func value(_ generator: inout Generator, depth: Int) -> JSONValue {
    switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &generator) {
    case 0: return .null
    case 1: return .bool(Bool.random(using: &generator))
    case 2: return .integer(Int64.random(in: .min ... .max, using: &generator))
    case 3:
      // A whole number would be read back as an integer.
      return .number(Double(Int32.random(in: -9999...9999, using: &generator)) + 0.5)
    case 4: return .string(text(&generator))
    case 5:
      return .array((0..<3).map { _ in value(&generator, depth: depth - 1) })
    default:
      return .object(
        JSONObject(
          members: (0..<3).map {
            JSONObject.Member(
              name: "\($0)" + text(&generator), value: value(&generator, depth: depth - 1))
          }))
    }
  }

  private static func text(_ generator: inout Generator) -> String {
    var text = ""
    for _ in 0..<Int.random(in: 0...8, using: &generator) {
      let limit: UInt32 = Bool.random(using: &generator) ? 0x80 : 0x10ffff
      text.unicodeScalars.append(
        Unicode.Scalar(UInt32.random(in: 0...limit, using: &generator)) ?? "?")
    }
    return text
  }
}

/// SplitMix64: a seed gives the same values everywhere.
struct Generator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
