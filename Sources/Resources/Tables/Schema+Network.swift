internal import JSON

extension Schema {
  static let network = Schema(
    .network, "A layer-2 segment that machines are plugged into.",
    [
      Field(
        "mode", .choice(["user", "nat", "isolated", "bridge"]), required: true, effect: .nextBoot,
        "How guests reach the world: user gives each machine a network of its own with a way out."),
      Field(
        "subnet", .text(.ipv4Network), effect: .nextBoot,
        "The IPv4 network; left out, the engine chooses."),
      Field(
        "dhcp",
        .object([
          Field(
            "range", .list(.text(.ipv4)), required: true, effect: .nextBoot,
            "The first and the last address given out.")
        ]), "Addresses for guests."),
      Field(
        "dns",
        .object([
          Field(
            "domain", .text(.hostName), effect: .nextBoot, "The domain that guests' names are in.")
        ]), "Names for guests."),
      Field(
        "bridge", .text(.interface), effect: .nextBoot,
        "The host's bridge; for mode bridge only."),
      lifecycle,
    ])
}
