import Glibc
import JSON
import SystemIO
import TestSupport
import Testing

/// Kills what networks and guests are made of, one process a round, while packets flow.
@Suite("Networks whose processes are killed", .serialized, .enabled(if: TestHost.isPossible))
struct NetworkKillTests {
  @Test(
    "packets flow again within five seconds, and nothing is left or doubled", arguments: Caller.all)
  func kills(_ caller: Caller) async throws {
    let rounds = number("INGOT_ROUNDS") ?? 8
    let seed = number("INGOT_TEST_SEED").map(UInt64.init) ?? 5
    print("network kills as \(caller): \(rounds) rounds with seed \(seed) (INGOT_TEST_SEED)")
    try await TestHost.with(caller) { host, ingot in
      var site = try await NetworkSite(ingot)
      site.set("Network", "lab", ["mode": "nat", "dns": ["domain": "lab.internal"]])
      let ports: JSONValue = [["host": 8080, "guest": 80]]
      site.setMachine("web1", ["name": "lan", "network": "lab", "ports": ports])
      site.setMachine("web2", ["name": "lan", "network": "lab"])
      try await site.apply("--timeout", "8m")
      var stage = try await KillStage(host: host, ingot: ingot)
      var random = SeededGenerator(seed: seed)
      for victim in try Self.order(rounds, stage.victims, &random) {
        try await stage.kill(victim, &random)
      }
      try await stage.end()
      let plan = try await ingot.run(["plan", "-f", "site.yaml", "--detailed-exitcode"])
      #expect(plan.code == 0, "\(plan.output)")
      try await ingot.succeed("destroy", "--all", "--yes")
      try await host.expectNothingLeft()
    }
  }

  /// Each sort of process in turn, in an order that is another every time round.
  private static func order(
    _ rounds: Int, _ victims: [KillStage.Victim], _ random: inout SeededGenerator
  ) -> [KillStage.Victim] {
    var order: [KillStage.Victim] = []
    while order.count < rounds { order += victims.shuffled(using: &random) }
    return Array(order.prefix(rounds))
  }

  private func number(_ variable: String) -> Int? {
    getenv(variable).flatMap { Int(String(cString: $0)) }
  }
}
