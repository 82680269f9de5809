import JSON
import Resources
import Testing

@Suite("Security groups")
struct SecurityGroupTests {
  private func group(
    _ ingress: [JSONValue] = [], egress: [JSONValue] = [], default rest: JSONValue? = nil
  ) throws -> SecurityGroupSpecification {
    try SecurityGroupSpecification([
      "ingress": .array(ingress), "egress": .array(egress),
      "default": rest ?? ["ingress": "Deny", "egress": "Allow"],
    ])
  }

  @Test("rules are read with whom and what they are about")
  func rules() throws {
    let web = try group([
      [
        "protocol": "tcp", "ports": ["80", "8000-8080"],
        "from": ["10.0.0.0/8", "fd00::5", "group:lb"],
      ],
      ["protocol": "icmp"],
    ])
    let rules = try #require(web.ingress)
    #expect(rules.map(\.transport) == [.tcp, .icmp])
    #expect(rules[0].ports.map(\.bounds) == [80...80, 8000...8080])
    #expect(rules[0].peers == [.network("10.0.0.0/8"), .network("fd00::5/128"), .group("lb")])
    #expect(rules[1].ports.isEmpty && rules[1].peers == nil)
    #expect(web.egress == nil, "everything may leave")
    #expect(web.groups == ["lb"])
  }

  @Test("several groups allow what any of them allows")
  func together() throws {
    let web = try group([["protocol": "tcp", "ports": ["80"]]])
    let closed = try group(default: ["ingress": "Deny", "egress": "Deny"])
    let open = try group(default: ["ingress": "Allow", "egress": "Deny"])
    let none = SecurityGroupSpecification(together: [])
    #expect(none.ingress == nil && none.egress == nil)
    let alone = SecurityGroupSpecification(together: [closed])
    #expect(alone.ingress == [] && alone.egress == [])
    let both = SecurityGroupSpecification(together: [web, closed])
    #expect(both.ingress == web.ingress && both.egress == nil)
    #expect(SecurityGroupSpecification(together: [web, open]).ingress == nil)
  }

  @Test(
    "a damaged rule is an error",
    arguments: [
      "x", ["protocol": "sctp"], ["protocol": "tcp", "ports": ["0"]],
      ["protocol": "tcp", "from": ["lb"]],
    ] as [JSONValue])
  func damaged(rule: JSONValue) {
    #expect(throws: SpecificationError.self) { try group([rule]) }
  }
}
