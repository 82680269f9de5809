import EngineInterface
import JSON
import Planning
import Resources
import Testing

@testable import Commands

@Suite("The plan as text")
struct PlanViewTests {
  @Test("every action has its symbol, effect word, reason and place; every field its effect")
  func golden() {
    #expect(
      PlanView(style: .plain).lines(Fixture.plan).joined(separator: "\n") == """
         +   Volume/web1-data                            create            # declared and not there (site/web.yaml:12)
         ~   VirtualMachine/web1                         live + next-boot  # 4 fields differ (site/web.yaml:12)
               ~ memory.guest            512Mi -> 1Gi    live (by balloon)
               ~ cpu.model               host -> qemu64  next-boot
               + disks[data]             {name: data, size: 1Gi, pool: default}  live
               - readinessProbe.timeout  3m              none
         -/+ Image/debian-12                             replace           # what it is built from changed
         -   Network/lab                                 destroy           # left the manifests
         !   VirtualMachine/db1                          refused           # delete: spec.lifecycle: deletionProtection is set (site/web.yaml:12)
               help: set deletionProtection: false and apply first

        Plan: 1 add, 1 change (0 live, 1 next-boot, 0 restart), 1 replace, 1 destroy, 1 refused, 1 unchanged.
        """)
  }

  @Test("what was changed outside ingot stands in a section of its own, before the changes")
  func drift() {
    let id = Fixture.web1.id
    let plan = Plan(
      engineID: "e", generation: 1,
      actions: [
        PlannedAction(
          .update(Fixture.web1, restart: false),
          reason: PlanReason(.drifted, "2 things were changed outside ingot"), effect: .nextBoot)
      ],
      drift: [
        Drift(
          path: "memory.guest", applied: .integer(512 << 20), actual: .integer(1 << 30),
          effect: .nextBoot),
        Drift(path: "disks[data]", applied: "x", actual: nil, effect: .live, note: "plugged again"),
      ].map { PlannedDrift(id, $0, isMended: true) })
    #expect(
      PlanView(style: .plain).lines(plan).joined(separator: "\n") == """
        Changed outside ingot:
             VirtualMachine/web1
               ~ memory.guest  512Mi -> 1Gi
               ~ disks[data]   x -> gone (plugged again)

         ~   VirtualMachine/web1  next-boot  # 2 things were changed outside ingot

        Plan: 0 add, 1 change (0 live, 1 next-boot, 0 restart), 0 replace, 0 destroy, 0 refused, 0 unchanged.
        """)
  }

  @Test("an empty plan says so and counts what is as declared")
  func empty() {
    let plan = Plan(
      engineID: "e", generation: 1, actions: [], unchanged: [ResourceID(.volume, "a")])
    #expect(PlanView(style: .plain).lines(plan) == ["No changes. 1 resource as declared."])
  }

  @Test("colour changes nothing but colour")
  func colour() {
    let plain = PlanView(style: .plain).lines(Fixture.plan).joined(separator: "\n")
    let painted = PlanView(style: Style(isColored: true)).lines(Fixture.plan)
      .joined(separator: "\n")
    #expect(painted != plain)
    #expect(painted.replacing(#/\u{1b}\[[0-9]*m/#, with: "") == plain)
  }

  @Test("the question names the worst effect")
  func question() {
    #expect(
      Approval.question(Fixture.plan) == "Do 4 acts? The worst: Network/lab is destroyed.")
    var creation = Fixture.plan
    creation.actions = Array(creation.actions.prefix(1))
    #expect(Approval.question(creation) == "Do 1 act? No running guest is touched.")
  }
}
