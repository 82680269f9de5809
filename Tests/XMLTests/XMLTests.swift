import TestSupport
import Testing
import XML

@Suite("XML from outside")
struct XMLTests {
  private func parse(_ text: String, _ limits: XMLLimits = XMLLimits()) throws -> XMLElement {
    try XMLElement(parsing: Array(text.utf8), limits: limits)
  }

  @Test("a document becomes a tree with its lines")
  func tree() throws {
    let root = try parse(
      """
      <?xml version="1.0"?>
      <!-- a comment -->
      <domain type='kvm' xmlns:q="urn:q" q:id="7">
        <name>a &amp; b &#x263a;</name>
        <empty/>
        <q:arg value='x
      y'/>
        <note><![CDATA[1 < 2]]> !</note>
      </domain>
      """)
    #expect(root.name == "domain" && root.line == 3)
    #expect(root["type"] == "kvm" && root["id"] == "7" && root["none"] == nil)
    #expect(root.attributes.count == 2)
    #expect(root.child("name")?.text == "a & b ☺")
    #expect(root.children.map(\.line) == [4, 5, 7, 8])
    #expect(root.children.map(\.namespace) == ["", "", "urn:q", ""])
    #expect(root.child("arg")?["value"] == "x y")
    #expect(root.child("note")?.text == "1 < 2 !")
  }

  @Test(
    "what is no XML is refused with its line",
    arguments: [
      ("", 1), ("   ", 1), ("text", 1), ("<a>", 1), ("<a>\n<b></a>", 2), ("<a/>\n<b/>", 2),
      ("<a x=1/>", 1), ("<a x='1' x='2'/>", 1), ("<a>\n&nope;</a>", 2), ("<a>\u{0}</a>", 1),
      ("<a>\u{1}</a>", 1), ("<?xml version='1.0' encoding='nope'?><a/>", 1), ("<a b='<'/>", 1),
    ])
  func refused(text: String, line: Int) {
    let error = #expect(throws: XMLError.self) { try parse(text) }
    #expect(error?.line == line, "\(error.map { "\($0)" } ?? "")")
    #expect(error?.message.isEmpty == false)
  }

  @Test("a document cut anywhere is refused, or is a whole one")
  func truncated() throws {
    let text = "<domain type='kvm'><name>a</name><devices><disk/></devices></domain>"
    for count in 0..<text.utf8.count {
      #expect(throws: XMLError.self) { try XMLElement(parsing: Array(text.utf8.prefix(count))) }
    }
    _ = try parse(text)
  }

  @Test("no entity is expanded and nothing else is read", arguments: Hostile.all)
  func hostile(text: String) {
    let clock = ContinuousClock()
    let time = clock.measure {
      let error = #expect(throws: XMLError.self) { try parse(text) }
      #expect(error?.message.contains("root:") == false)
    }
    #expect(time < .seconds(2))
  }

  @Test("size, depth and number are limited")
  func limits() throws {
    let deep = String(repeating: "<a>", count: 65) + String(repeating: "</a>", count: 65)
    #expect(throws: XMLError.self) { try parse(deep) }
    _ = try parse(deep, XMLLimits(depth: 65))
    let many = "<a>" + String(repeating: "<b/>", count: 100) + "</a>"
    #expect(throws: XMLError.self) { try parse(many, XMLLimits(elements: 100)) }
    _ = try parse(many, XMLLimits(elements: 101))
    #expect(throws: XMLError.self) { try parse(many, XMLLimits(bytes: many.utf8.count - 1)) }
    let lines = "<a>" + String(repeating: "\n", count: 70_000) + "<b/></a>"
    #expect(try #require(try parse(lines).child("b")).line >= 70_001)
  }

  @Test("garbage is an error or a document, never a crash")
  func garbage() {
    let seed = UInt64.random(in: .min ... .max)
    var random = SeededGenerator(seed: seed)
    let whole = Array("<domain a='1'><n>x &lt; y</n><d><i t='k'/></d><![CDATA[z]]></domain>".utf8)
    for _ in 0..<2000 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      }
      _ = try? XMLElement(parsing: bytes)
    }
  }

  @Test("what is written is read as the same")
  func writing() throws {
    let element = XMLElement(
      "domain", ["type": "a'b\"c<>&\t\n"],
      [
        XMLElement("name", text: "x < y & z"), XMLElement("empty"),
        XMLElement("inner", ["k": "v"], [XMLElement("leaf", text: "☺")]),
      ])
    var read = try parse(element.document())
    func withoutLines(_ element: inout XMLElement) {
      element.line = 0
      for index in element.children.indices { withoutLines(&element.children[index]) }
    }
    withoutLines(&read)
    #expect(read == element)
    #expect(XMLElement("a", text: "\u{1}").document() == "<a>\u{fffd}</a>\n")
  }

  enum Hostile {
    private static let laughs: String = {
      var text = "<!DOCTYPE a [<!ENTITY l0 'lol'>"
      for level in 1...9 {
        let inner = String(repeating: "&l\(level - 1);", count: 10)
        text += "<!ENTITY l\(level) '\(inner)'>"
      }
      return text + "]>"
    }()

    static let all: [String] = [
      laughs + "<a>&l9;</a>", laughs + "<a b='&l9;'/>",
      "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
      "<!DOCTYPE a SYSTEM 'http://192.0.2.1/x.dtd'><a/>",
      "<!DOCTYPE a [<!ENTITY % p SYSTEM 'file:///etc/passwd'> %p;]><a/>",
      "<!DOCTYPE a [<!ENTITY x '" + String(repeating: "x", count: 50_000) + "'>]><a>"
        + String(repeating: "&x;", count: 20_000) + "</a>",
      "<!DOCTYPE a PUBLIC '-//X//Y' 'file:///etc/passwd'><a/>", "<!DOCTYPE a><a/>",
    ]
  }
}
