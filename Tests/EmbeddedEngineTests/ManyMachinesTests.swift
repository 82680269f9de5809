import EmbeddedEngine
import EngineInterface
import JSON
import Resources
import SystemIO
import Testing

@Suite("Many machines")
struct ManyMachinesTests {
  @Test("Halted machines cost an observation their rows and nothing else")
  func observe() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    try await engine.perform(
      .create(machine("m", disks: [disk("root", size: 1 << 20)], interfaces: [interface("lan")])))
    // The other rows are made of this one: what counts is reading them.
    try sqlite(
      fixture.home + "/state.db",
      """
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(Self.count - 1))
      INSERT INTO resources (kind, name, uid, generation, created, labels, annotations, spec,
        explicit, source, phase, reason, inputs, builtin, details) SELECT kind, name || i,
        uid || i, generation, created, labels,
        annotations, spec, explicit, source, phase, reason, inputs, builtin, details
        FROM resources, n WHERE name = 'm';
      INSERT INTO machines (uid, is_down, state, reason, since, running_spec, instance,
        journal_sequence) SELECT r.uid, m.is_down, m.state, m.reason, m.since, m.running_spec,
        m.instance, m.journal_sequence FROM resources r, machines m
        WHERE r.kind = 'VirtualMachine' AND r.name != 'm';
      """)
    let clock = ContinuousClock()
    var times: [Duration] = []
    for _ in 0..<5 {
      var state: ObservedState?
      times.append(try await clock.measure { state = try await engine.observe() })
      #expect(state?.resources.filter { $0.machine?.state == .halted }.count == Self.count)
    }
    print("observe of \(Self.count) halted machines: \(times.sorted()[2])")
  }

  #if DEBUG
    private static let count = 500
  #else
    private static let count = 10_000
  #endif
}
