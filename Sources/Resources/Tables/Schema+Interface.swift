internal import JSON

extension Schema {
  /// The fields of a machine's network interface.
  static let interfaceFields = [
    Field(
      "name", .text(.name), required: true, effect: .nextBoot, live: .devices,
      "The name, unique in the machine; under another one it is another interface."),
    Field(
      "network", .reference(.network), default: "default", effect: .nextBoot,
      "The network it is plugged into."),
    Field(
      "mac", .text(.mac), effect: .nextBoot,
      "Its MAC address; left out, the engine chooses once and keeps it."),
    Field(
      "address", .text(.ipv4), effect: .nextBoot,
      "Its IPv4 address; left out, the engine or DHCP chooses. On a bridge the guest gives it "
        + "itself, and may have no other."),
    Field(
      "address6", .text(.ipv6), effect: .nextBoot,
      "Its IPv6 address, likewise; not in mode user."),
    Field(
      "link", .choice(["up", "down"]), default: "up", effect: .live,
      "Whether the cable is plugged in."),
    Field(
      "ports", .keyedList(key: "guest/protocol", portFields), default: [], effect: .live,
      "Ports of the host that lead to it; not in mode bridge."),
    Field(
      "securityGroups", .list(.reference(.securityGroup)), default: [], effect: .live,
      "The rules it is under, of all groups together; with none, everything is allowed. "
        + "Not in mode user."),
    Field(
      "bandwidth",
      .object([
        Field(
          "inbound", .bytes(interfaceRates), effect: .live,
          "Bytes a second that the guest receives; left out, no limit."),
        Field(
          "outbound", .bytes(interfaceRates), effect: .live,
          "Bytes a second that the guest sends; left out, no limit."),
      ]), "How fast it may be; not in mode user."),
  ]

  private static let portFields = [
    Field(
      "address", .text(.ipv4), default: "127.0.0.1", effect: .live,
      "The host's address that listens."),
    Field(
      "host", .integer(ports), effect: .live,
      "The host's port; left out, the engine chooses once and keeps it."),
    Field("guest", .integer(ports), required: true, effect: .live, "The guest's port."),
    Field("protocol", .choice(["tcp", "udp"]), default: "tcp", effect: .live, "The protocol."),
  ]
}
