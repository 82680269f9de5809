internal import JSON

extension Schema {
  static let securityGroup = Schema(
    .securityGroup,
    "Rules for what reaches the interfaces that name the group, and what leaves them. Answers to "
      + "what was allowed always pass.",
    [
      Field(
        "ingress", .list(.object(ruleFields("from", "Who may connect"))), default: [],
        effect: .live, "What may reach the interface."),
      Field(
        "egress", .list(.object(ruleFields("to", "Whom it may connect to"))), default: [],
        effect: .live, "What may leave the interface, where default.egress is Deny."),
      Field(
        "default",
        .object([
          Field(
            "ingress", .choice(["Allow", "Deny"]), default: "Deny", effect: .live,
            "What becomes of all else that comes."),
          Field(
            "egress", .choice(["Allow", "Deny"]), default: "Allow", effect: .live,
            "What becomes of all else that leaves."),
        ]), default: [:], "What holds where no rule allows it."),
      lifecycle,
    ])

  private static func ruleFields(_ peers: String, _ who: String) -> [Field] {
    [
      Field(
        "protocol", .choice(["any", "tcp", "udp", "icmp"]), default: "any", effect: .live,
        "The protocol; icmp is ICMPv6 too."),
      Field(
        "ports", .list(.text(.ports)), effect: .live,
        "Ports of what is connected to, such as [80, 8000-8080], for tcp and udp; left out, all."),
      Field(
        peers, .list(.text(.peer)), effect: .live,
        "\(who): networks, addresses, and group:NAME for the interfaces under a group; left out, "
          + "anyone."),
    ]
  }
}
