import EngineInterface
import JSON
import Resources
import TestSupport
import Testing

@testable import Commands

@Suite("What there is, as tables")
struct ListViewTests {
  private func table(
    _ kind: Kind, _ resources: [ObservedResource], wide: Bool = false, width: Int? = nil
  ) -> String {
    GetView(now: noon, isWide: wide, volumeUsers: Fixture.state.volumeUsers)
      .table(kind, resources).lines(width: width, style: .plain).joined(separator: "\n")
  }

  @Test("machines")
  func machines() {
    #expect(
      table(.virtualMachine, [Fixture.running, Fixture.crashed]) == """
        NAME                               STATE    READY  STAGE  CPU  MEMORY  ADDRESSES  PORTS                       AGE
        web1                               Running  yes    Login  2    512Mi   10.0.2.15  40022->22,0.0.0.0:8080->80  2h
        a-machine-with-a-rather-long-name  Crashed  no     -      1    512Mi   -          -                           2d
        """)
  }

  @Test("machines with all columns")
  func wide() {
    #expect(
      table(.virtualMachine, [Fixture.running], wide: true) == """
        NAME  STATE    READY  STAGE  CPU  MEMORY  ADDRESSES          PORTS                       ACCEL  PID   IMAGE      RESTARTS  RESTART-REQUIRED  SET  AGE
        web1  Running  yes    Login  2    512Mi   10.0.2.15,fe80::1  40022->22,0.0.0.0:8080->80  tcg    4711  debian-12  1         cpu.model         web  2h
        """)
  }

  @Test("a narrow terminal cuts names and lists, never numbers")
  func narrow() {
    let text = table(.virtualMachine, [Fixture.running, Fixture.crashed], width: 80)
    #expect(text.split(separator: "\n").allSatisfy { displayWidth(String($0)) <= 80 })
    #expect(text.contains("512Mi"))
    #expect(text.contains("…"))
  }

  @Test("images and volumes")
  func others() {
    #expect(
      table(.image, [Fixture.image]) == """
        NAME       STATE  SIZE      DIGEST        BOOT    AGE
        debian-12  Ready  1.39 GiB  0123456789ab  direct  60s
        """)
    #expect(
      table(.volume, [Fixture.volume]) == """
        NAME       STATE  SIZE  FORMAT  POOL     USED-BY  AGE
        web1-data  Ready  20Gi  qcow2   default  web1     60m
        """)
  }

  @Test("security groups, with how much they allow")
  func groups() {
    func group(_ name: String, _ spec: JSONValue) -> ObservedResource {
      ObservedResource(
        .normalized(.securityGroup, name, spec), uid: name, created: noon - 3600)
    }
    let web = group("web", ["ingress": [["protocol": "tcp"], ["protocol": "icmp"]]])
    let closed = group("closed", ["default": ["egress": "Deny"]])
    #expect(
      table(.securityGroup, [web, closed]) == """
        NAME    STATE  INGRESS  EGRESS  AGE
        web     Ready  2 rules  all     60m
        closed  Ready  none     none    60m
        """)
  }

  @Test("everything about a machine, with what a guest wrote made harmless")
  func describe() {
    let view = DescribeView(style: .plain, now: noon)
    let events = [
      EngineEvent(
        sequence: 1, time: noon - 65, id: Fixture.web1.id, reason: "Started", message: "pid 4711")
    ]
    #expect(
      view.lines(Fixture.running, events: events).joined(separator: "\n") == """
        Name:        web1
        Kind:        VirtualMachine
        UID:         u-1
        Generation:  3
        Created:     2027-01-15T06:00:00Z (2h ago)
        State:       Running
        Set:         web
        Labels:      app=web
        Since:       2027-01-15T07:58:30Z (90s ago)
        Stage:       Login: the console shows a login prompt: web1 login:
        Addresses:   10.0.2.15, fe80::1
        Ports:       40022->22, 0.0.0.0:8080->80
        Accelerator: tcg
        Process:     4711
        Restarts:    1

        Conditions:
          CONDITION        STATUS  REASON
          Ready            True
          RestartRequired  True    cpu.model
          Paused           False
          AgentConnected   True
          Stuck            False

        Interfaces:
          INTERFACE  NETWORK  LINK  MAC  ADDRESSES
          lan        lab      up    -    10.0.2.15

        Spec:
          runStrategy: Always
          resourcePool: default
          cpu:
            count: 2
            model: host
            reservation: 0
          memory:
            guest: 512Mi
            reservation: 0
          firmware:
            boot: direct
          disks:
            - name: root
              image: debian-12
              size: 8Gi
              pool: default
            - name: data
              volume: web1-data
              pool: default
          interfaces:
            - name: lan
              network: lab
              link: up
              ports:
                - address: 127.0.0.1
                  guest: 22
                  protocol: tcp
                - address: 127.0.0.1
                  guest: 80
                  protocol: tcp
              securityGroups: []
          terminationGracePeriod: 30s
          updatePolicy:
            restart: WhenStopped
            replace: Forbid
          lifecycle:
            deletionProtection: false
            deletionPolicy: Delete

        Status:
          directory: /home/machines/u-1

        Events:
          65s ago    Started         pid 4711

        Console: ingot console web1 --log
        """)
    let crashed = view.lines(Fixture.crashed, events: []).joined(separator: "\n")
    #expect(crashed.contains("panic: .[31mno root."))
    #expect(!crashed.contains("\u{1b}"))
  }
}
