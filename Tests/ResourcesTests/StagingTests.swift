import JSON
import Resources
import Testing

@Suite("What is in effect while some of a change waits")
struct StagingTests {
  private static let schema = Schema.table(for: .virtualMachine)

  private static func machine(
    count: Int64 = 1, disks: [String] = ["root", "data"], size: Int64? = nil,
    probe: Int64? = nil
  ) -> JSONValue {
    var spec: JSONValue = [
      "cpu": ["count": .integer(count), "model": "host"],
      "disks": .array(
        disks.map { name in
          var disk: JSONValue = ["name": .string(name), "pool": "default"]
          if let size { disk["size"] = .integer(size) }
          return disk
        }),
    ]
    if let probe { spec["readinessProbe"] = ["tcp": ["port": .integer(probe)]] }
    return spec
  }

  static let pairs: [(before: JSONValue, after: JSONValue)] = [
    (machine(), machine(count: 2)), (machine(), machine(count: 3, size: 1 << 30)),
    (machine(), machine(disks: ["root"])), (machine(), machine(disks: ["root", "data", "more"])),
    (machine(), machine(disks: ["data", "root"])),
    (machine(), machine(disks: ["more", "data", "root"], size: 5)),
    (machine(), machine(disks: ["root", "other"], probe: 80)),
    (machine(probe: 80), machine(probe: 81)), (machine(probe: 80), machine()),
    (machine(disks: ["a", "b", "c", "d"]), machine(disks: ["e", "d", "b", "a"])),
  ]

  @Test("Whatever part of a change waits is the difference that is left", arguments: pairs.indices)
  func everySubset(index: Int) {
    let (before, after) = Self.pairs[index]
    let differences = Self.schema.differences(from: before, to: after)
    for bits in 0..<(1 << differences.count) {
      let staged = differences.indices.filter { bits >> $0 & 1 == 1 }.map { differences[$0] }
      let inEffect = Self.schema.inEffect(after, from: before, staged: Set(staged.map(\.path)))
      let left = Self.schema.differences(from: inEffect, to: after)
      #expect(left.map(\.path).sorted() == staged.map(\.path).sorted(), "\(bits): \(inEffect)")
    }
  }
}
