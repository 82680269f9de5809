import JSON

// Reservations and limits, which show in what is refused for them.
extension BoxCases {
  private static let team = "ResourcePool/team"
  private static let house = "ResourcePool/house"

  static let pools = [
    FieldCase(machine, "resourcePool", to: "team", .live, shows: "pool-limit") {
      try await $0.refusals(Edit(team, "memory.limit", to: "16Mi"))
    },
    FieldCase(team, "parent", to: "house", .live, shows: "pool-limit") {
      try await $0.refusals(Edit(house, "memory.limit", to: "16Mi"))
    },
    FieldCase(team, "cpu.reservation", to: "200m", .live, shows: "pool-limit") {
      try await $0.refusals(Edit(house, "cpu.limit", to: "100m"))
    },
    FieldCase(team, "cpu.limit", to: "500m", .live, shows: "pool-reservation") {
      try await $0.refusals(Edit(machine, "cpu.reservation", to: "600m"))
    },
    FieldCase(team, "cpu.expandable", to: false, .live, shows: "pool-reservation") {
      try await $0.refusals(Edit(machine, "cpu.reservation", to: "300m"))
    },
    FieldCase(team, "cpu.shares", to: 2000, .live, shows: "2000") {
      try await $0.stored("rp/team", "cpu", "shares")
    },
    FieldCase(team, "memory.reservation", to: "64Mi", .live, shows: "pool-limit") {
      try await $0.refusals(Edit(house, "memory.limit", to: "48Mi"))
    },
    FieldCase(team, "memory.limit", to: "96Mi", .live, shows: "pool-limit") {
      try await $0.refusals(Edit(machine, "memory.guest", to: "128Mi"))
    },
    FieldCase(team, "memory.expandable", to: false, .live, shows: "pool-reservation") {
      try await $0.refusals(
        Edit(machine, "memory.guest", to: "90Mi"), Edit(machine, "memory.reservation", to: "80Mi"))
    },
    FieldCase(team, "memory.shares", to: 2000, .live, shows: "2000") {
      try await $0.stored("rp/team", "memory", "shares")
    },
    FieldCase(machine, "cpu.reservation", to: "150m", .live, shows: "pool-reservation") {
      try await $0.refusals(Edit(team, "cpu.reservation", to: "100m"))
    },
    FieldCase(machine, "memory.reservation", to: "24Mi", .live, shows: "pool-reservation") {
      try await $0.refusals(Edit(team, "memory.reservation", to: "16Mi"))
    },
  ]
}
