import EngineInterface
import JSON
import Resources
import Testing

@testable import Commands

@Suite("Networks, as people see them")
struct NetworkViewTests {
  private func table(_ resources: [ObservedResource], wide: Bool = false) -> String {
    GetView(now: noon, isWide: wide, networkUsers: MapFixture.state.networkUsers)
      .table(.network, resources).lines(width: nil, style: .plain).joined(separator: "\n")
  }

  private func describe(_ resource: ObservedResource) -> String {
    DescribeView(style: .plain, now: noon, networkUsers: MapFixture.state.networkUsers)
      .lines(resource, events: []).joined(separator: "\n")
  }

  @Test("a list")
  func list() {
    let networks = [MapFixture.user, MapFixture.lab, MapFixture.back]
    #expect(
      table(networks) == """
        NAME     STATE   MODE      SUBNET        MEMBERS  AGE
        default  Ready   user      -             1        -
        lab      Up      nat       10.77.0.0/24  2        60s
        ops      Failed  isolated  10.78.0.0/24  1        60s
        """)
    #expect(
      table(networks, wide: true) == """
        NAME     STATE   MODE      SUBNET        MEMBERS  IPV6            GATEWAY                 UPLINK       DOMAIN        SET  AGE
        default  Ready   user      -             1        -               -                       -            -             -    -
        lab      Up      nat       10.77.0.0/24  2        fd12:3456::/64  10.77.0.1,fd12:3456::1  slirp4netns  lab.internal  -    60s
        ops      Failed  isolated  10.78.0.0/24  1        -               -                       -            -             -    60s
        """)
  }

  @Test("everything about one")
  func everything() {
    #expect(
      describe(MapFixture.lab) == """
        Name:       lab
        Kind:       Network
        UID:        n-1
        Generation: 1
        Created:    2027-01-15T07:59:00Z (60s ago)
        State:      Up
        Mode:       nat
        Subnet:     10.77.0.0/24, fd12:3456::/64
        Gateway:    10.77.0.1, fd12:3456::1
        Domain:     lab.internal
        MTU:        1500
        Uplink:     slirp4netns
        Namespace:  net:[4026532345]
        Directory:  /home/networks/n-1

        Members:
          MACHINE  INTERFACE  LINK  MAC                ADDRESSES                NAME               RECEIVED  SENT
          db1      lan        down  52:54:00:00:00:0d  10.77.0.13               -                  0 B       0 B
          web1     lan        up    52:54:00:00:00:0b  10.77.0.11,fd12:3456::b  web1.lab.internal  1.17 MiB  890 B

        Ports of the host:
          ADDRESS    PORT      TO       PROBLEM
          127.0.0.1  8080/tcp  web1:80
          0.0.0.0    5353/udp  web1:53  the port is taken

        Leases:
          ADDRESS     MAC                NAME  ENDS
          10.77.0.11  52:54:00:00:00:0b  web1  in 30m

        Processes:
          PROCESS     PID  RESTARTS
          supervisor  70   0
          dnsmasq     72   2

        Spec:
          mode: nat
          lifecycle:
            deletionProtection: false
            deletionPolicy: Delete

        Events:
          none
        """)
  }

  @Test("one that tells nothing but its specification, and who uses it")
  func user() {
    #expect(
      describe(MapFixture.user) == """
        Name:       default
        Kind:       Network
        UID:        n-0
        Generation: 1
        Created:    built in
        State:      Ready
        Mode:       user
        Used by:    box

        Spec:
          mode: user
          lifecycle:
            deletionProtection: false
            deletionPolicy: Delete

        Events:
          none
        """)
  }

  @Test("a problem is told, and can do no harm")
  func problem() {
    let text = describe(MapFixture.back)
    #expect(text.contains("State:      Failed\n"))
    #expect(text.contains("Problem:    nft said \"no <table> & left\".]]>\n"))
  }

  @Test("a machine's interfaces")
  func machine() {
    let text = describe(MapFixture.web1)
    #expect(
      text.contains(
        """

        Interfaces:
          INTERFACE  NETWORK  LINK  MAC                ADDRESSES
          lan        lab      up    52:54:00:00:00:0b  10.77.0.11,fd12:3456::b
          mgmt       ops      up    -                  10.78.0.11

        """), "\(text)")
    #expect(!text.contains("\nStatus:"))
  }

  @Test("what is told in no shape that is known is left out, never a failure")
  func malformed() {
    var network = MapFixture.lab
    network.details = [
      "state": "hovering",
      "members": ["web1", ["machine": "db1", "forwards": [1, ["guest": "x"]]]],
      "leases": 7, "processes": [[:]], "mtu": "big",
    ]
    let text = describe(network)
    #expect(text.contains("State:      hovering\n"))
    #expect(text.contains("  db1      ?          -     -    -          -     -         -"))
    #expect(!text.contains("Leases:"))
  }
}
