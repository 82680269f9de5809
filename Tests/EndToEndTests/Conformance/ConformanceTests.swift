import JSON
import Resources
import TestSupport
import Testing

/// Each field of each kind is changed on a running guest, and what the plan and the apply promised is
/// compared with what happened.
@Suite("Conformance", .serialized) struct ConformanceTests {
  private static let all = DebianCases.all + BoxCases.all

  @Test("each field of the tables has a case, each case a field", arguments: Kind.allCases)
  func coverage(kind: Kind) {
    let fields = Coverage.fields(of: kind)
    let tried = Set(Self.all.filter { $0.kind == kind }.map(\.field))
    #expect(fields.filter { !tried.contains($0) } == [], "fields without a case")
    #expect(tried.subtracting(fields).sorted() == [], "cases without a field")
  }

  @Test("no case promises what the tables don't")
  func tables() {
    for test in Self.all {
      guard let field = Coverage.field(of: test) else { continue }
      #expect(Coverage.allows(test.promise, field), "\(test.label): \(test.promise)")
    }
  }

  @Test("a Debian guest and its host show what was promised")
  func debian() async throws {
    let tree = try await DistributionTrees.shared.debian12().tree
    let scratch = try Scratch()
    var ingot = Ingot(home: scratch.file("home"), directory: scratch.path)
    try DebianSite.prepare(&ingot)
    let guest = Rehearsal(ingot, machine: "deb", manifests: DebianSite.manifests(tree: tree)) {
      guest, _ in
      try await guest.inGuest("cat /proc/sys/kernel/random/boot_id")
    }
    try await rehearse(guest, DebianCases.all)
  }

  @Test("a guest of a boot sector, and what it uses, show what was promised")
  func box() async throws {
    let scratch = try Scratch()
    var ingot = Ingot(home: scratch.file("home"), directory: scratch.path)
    try await BoxSite.prepare(&ingot)
    let guest = Rehearsal(ingot, machine: "box", manifests: BoxSite.manifests) {
      try $0.boots($1)
    }
    try await rehearse(guest, BoxCases.all)
  }

  private func rehearse(
    _ guest: Rehearsal, _ cases: [FieldCase]
  ) async throws {
    do {
      try await guest.begin()
      for test in cases { try await guest.carryOut(test) }
      try await guest.isAsPlanned()
    } catch {
      let log = try await guest.ingot.run(["console", guest.machine, "--log"])
      print("console of \(guest.machine):\n\(log.output.suffix(4000))")
      _ = try await guest.ingot.run(["destroy", "--all", "--yes"])
      throw error
    }
    try await guest.ingot.succeed("destroy", "--all", "--yes")
  }
}
