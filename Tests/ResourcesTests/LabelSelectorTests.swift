import Resources
import Testing

@Suite("Selectors of labels")
struct LabelSelectorTests {
  private let labels = [
    Resource.Label(name: "app", value: "web"), Resource.Label(name: "tier", value: ""),
  ]

  static let cases: [(String, Bool)] = [
    ("app=web", true), ("app==web", true), ("app=db", false), ("app!=db", true),
    ("app!=web", false), ("none!=x", true), ("app", true), ("none", false), ("!none", true),
    ("!app", false), ("tier=", true), ("app=web,tier", true), ("app=web, !none", true),
    ("app=web,none", false), ("none=", false),
  ]

  @Test("each condition must hold", arguments: cases)
  func matches(_ text: String, _ expected: Bool) throws {
    let selector = try LabelSelector(text)
    #expect(selector.matches(labels) == expected)
    #expect(try LabelSelector(selector.description) == selector)
  }

  @Test(
    "what is no condition is named", arguments: ["", ",", "a=b,", "=b", "!", "a b", "!=c", "!a=b"])
  func wrong(_ text: String) {
    let error = #expect(throws: LabelSelectorError.self) { try LabelSelector(text) }
    #expect(error?.description.contains("write k=v, k!=v, k or !k") == true)
  }
}
