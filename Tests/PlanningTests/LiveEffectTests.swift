import EngineInterface
import JSON
import Planning
import Resources
import Testing

@Suite("Effects that depend on the running guest")
struct LiveEffectTests {
  private static let live = LiveState(
    processors: 2, maximumProcessors: 4, baseMemory: 1 << 30, maximumMemory: 2 << 30,
    memoryStep: 2 << 20, freePorts: 1, bootDisk: "root", hasAgent: true)

  private static func disk(_ name: String, volume: String? = nil) -> JSONValue {
    var disk: JSONValue = ["name": .string(name)]
    if let volume { disk["volume"] = .string(volume) }
    return disk
  }

  private static func spec(
    count: Int64 = 2, memory: Int64 = 1 << 30,
    disks: [JSONValue] = [disk("root"), disk("data")], interfaces: [String] = ["lan"]
  ) -> JSONValue {
    [
      "cpu": ["count": .integer(count)], "memory": ["guest": .integer(memory)],
      "disks": .array(disks),
      "interfaces": .array(interfaces.map { ["name": .string($0), "network": "default"] }),
    ]
  }

  @Test(
    "A change is live where the guest has room for it, and says why where it has not",
    arguments: [
      (spec(count: 4), "live"), (spec(count: 5), "next-boot (the running guest has places for 4)"),
      (spec(count: 1), "next-boot (none is taken from a running guest)"),
      (spec(memory: 3 << 29), "live (by virtio-mem)"), (spec(memory: 1 << 29), "live (by balloon)"),
      (
        spec(memory: 1 << 30 | 1 << 20),
        "next-boot (a running guest is given memory in steps of 2Mi)"
      ),
      (spec(memory: 3 << 30), "next-boot (the running guest has room for 2Gi)"),
      (spec(disks: [disk("root"), disk("data"), disk("more")]), "live (plugged in)"),
      (spec(disks: [disk("root")]), "live (unplugged)"),
      (spec(disks: [disk("data")]), "next-boot (the guest runs from it)"),
      (spec(disks: [disk("data"), disk("root")]), "next-boot"),
      (spec(interfaces: ["lan", "b"]), "live (plugged in)"),
      (spec(interfaces: []), "live (unplugged)"),
      (
        spec(interfaces: ["lan", "b", "c"]),
        "live (plugged in), next-boot (the running guest has no free port)"
      ),
      // The ports of the two that leave are there for those that come.
      (
        spec(disks: [disk("root"), disk("new")], interfaces: ["b", "c"]),
        "live (unplugged), live (plugged in), live (unplugged), live (plugged in), live (plugged in)"
      ),
    ] as [(JSONValue, String)])
  func resolved(after: JSONValue, text: String) {
    let differences = Schema.table(for: .virtualMachine).differences(from: Self.spec(), to: after)
    let words = Self.live.resolved(differences).map { difference in
      difference.effect.word + (difference.note.map { " (\($0))" } ?? "")
    }
    #expect(words.joined(separator: ", ") == text)
  }

  @Test("Without a guest agent the plan says what the guest must do itself")
  func withoutAgent() {
    var live = Self.live
    live.hasAgent = false
    let differences = Schema.table(for: .virtualMachine)
      .differences(from: Self.spec(), to: Self.spec(count: 3))
    let resolved = live.resolved(differences)
    #expect(resolved.first?.effect == .live)
    #expect(resolved.first?.note?.contains("the guest must bring them online") == true)
  }
}
