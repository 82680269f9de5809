import JSON
import Testing

@Suite("JSON values")
struct ValueTests {
  @Test("members are set, replaced in place, appended and removed")
  func members() {
    var object: JSONObject = ["a": 1, "b": 2]
    object["a"] = 3
    object["c"] = 4
    object["b"] = nil
    object["missing"] = nil
    #expect(object == ["a": 3, "c": 4])
    #expect(object.names == ["a", "c"])
    #expect(!object.isEmpty)
  }

  @Test("setting a member of anything else makes an object of it")
  func setting() {
    var value: JSONValue = "text"
    value["a"] = true
    #expect(value == ["a": true])
    #expect(value["b"] == nil)
  }

  @Test("a value answers only to its own type")
  func types() {
    let value: JSONValue = 5
    #expect(value.integer == 5)
    #expect(value.string == nil && value.bool == nil && value.array == nil && value.object == nil)
    #expect(JSONValue.null.isNull && !value.isNull)
    #expect(JSONValue(nil as String?) == .null && JSONValue(7 as Int?) == 7)
  }
}
