internal import JSON

extension Schema {
  static let network = Schema(
    .network, "A layer-2 segment that machines are plugged into.",
    [
      Field(
        "mode", .choice(["user", "nat", "isolated", "bridge"]), required: true, effect: .nextBoot,
        "How guests reach the world: user each by a way of its own, nat together by the host's "
          + "address, isolated not at all, bridge by a bridge of the host."),
      Field(
        "subnet", .text(.ipv4Network), effect: .nextBoot,
        "The IPv4 network; left out, the engine chooses once and keeps it."),
      Field(
        "ipv6",
        .object([
          Field(
            "enabled", .bool, default: true, effect: .nextBoot, "Whether guests get IPv6 addresses."
          ),
          Field(
            "subnet", .text(.ipv6Network), effect: .nextBoot,
            "The IPv6 network, a /64; left out, the engine chooses a private one and keeps it."),
        ]), "IPv6, for modes nat and isolated; left out, it is on."),
      Field(
        "dhcp",
        .object([
          Field(
            "range", .list(.text(.ipv4)), required: true, effect: .nextBoot, live: .segment,
            "The first and the last address given out.")
        ]), "Addresses for guests."),
      Field("dns", .object(nameFields), "Names for guests."),
      Field(
        "mtu", .integer(packetSizes), effect: .nextBoot,
        "The largest packet in bytes; left out, 1500. Not in mode user."),
      Field(
        "bridge", .text(.interface), effect: .nextBoot,
        "The host's bridge; for mode bridge only."),
      lifecycle,
    ])

  private static let nameFields = [
    Field(
      "domain", .text(.hostName), effect: .nextBoot, live: .segment,
      "The domain that guests' names are in; a guest itself learns a new one with its next lease."),
    Field(
      "hosts", .keyedList(key: "name", hostFields), default: [], effect: .live,
      "More names than those of the guests; for modes nat and isolated."),
    Field(
      "forwarders", .list(.text(.address)), default: [], effect: .live,
      "Name servers that are asked for all other names; empty, the host's. For mode nat."),
  ]

  private static let hostFields = [
    Field(
      "name", .text(.hostName), required: true, effect: .live,
      "The name; one without a dot is in the network's domain."),
    Field(
      "addresses", .list(.text(.address)), required: true, effect: .live,
      "Its addresses, IPv4 and IPv6."),
  ]
}
