import EngineInterface
import JSON
import Planning
import Resources
import TestSupport
import Testing

@testable import Commands

@Suite("The map of a host")
struct MapTests {
  private func text(_ map: HostMap, width: Int? = nil) -> [String] {
    MapText(map).lines(width: width, style: .plain)
  }

  @Test("for the terminal: a lane a network, a bracket a machine")
  func terminal() throws {
    #expect(
      text(try MapFixture.map()).joined(separator: "\n") == """
        host forge  4 CPUs  16 GiB memory

        default  user  each machine alone
        ┊  lab  nat  10.77.0.0/24  fd12:3456::/64  out by slirp4netns  Up
        ┊  │  ops  isolated  10.78.0.0/24  no way out  Failed
        ┊  │  │  nft said "no <table> & left".]]>
        ┊  │  │  ╶─ bare  Halted  1 CPU, 512Mi
        ┊  │  │  ┌─ box  Running  1 CPU, 512Mi
        ●──┼──┼──┘  nic   10.0.2.15
        ┊  │  │
        ┊  │  │  pool dev  at most 2 CPUs and 2Gi
        ┊  │  │    ┌─ web1  Running  1 CPU, 512Mi  root 4Gi, data=web1-data 20Gi
        ┊  ●──┼────┤  lan   10.77.0.11  fd12:3456::b  8080->80  0.0.0.0:5353->53/udp
        ┊  │  ●────┘  mgmt  10.78.0.11
        ┊  │  │
        ┊  │  │    pool stores  512Mi guaranteed
        ┊  │  │      ┌─ db1  Crashed  2 CPUs, 512Mi
        ┊  ○╌╌┼╌╌╌╌╌╌┘  lan   unplugged
        """)
  }

  @Test("a terminal's width is kept, and what is cut says so", arguments: [20, 44, 60, 79])
  func width(_ width: Int) throws {
    let whole = text(try MapFixture.map())
    let cut = text(try MapFixture.map(), width: width)
    for (line, full) in zip(cut, whole) {
      #expect(displayWidth(line) <= width)
      #expect(displayWidth(full) <= width ? line == full : line.hasSuffix("…"))
    }
  }

  @Test("only what is chosen, what it refers to, and built-in things that are used")
  func scope() throws {
    let map = try MapFixture.map(PlanScope(selectors: [try LabelSelector("app=web")]))
    #expect(
      text(map).joined(separator: "\n") == """
        host forge  4 CPUs  16 GiB memory

        lab  nat  10.77.0.0/24  fd12:3456::/64  out by slirp4netns  Up
        │  ops  isolated  10.78.0.0/24  no way out  Failed
        │  │  nft said "no <table> & left".]]>
        │  │
        │  │  pool dev  at most 2 CPUs and 2Gi
        │  │    ┌─ web1  Running  1 CPU, 512Mi  root 4Gi, data=web1-data 20Gi
        ●──┼────┤  lan   10.77.0.11  fd12:3456::b  8080->80  0.0.0.0:5353->53/udp
        │  ●────┘  mgmt  10.78.0.11
        """)
    // An interface whose network is left out leads nowhere.
    let cut = try MapFixture.map(
      PlanScope(
        excluded: [ResourceID(.network, "ops")], selectors: [try LabelSelector("app=web")]))
    #expect(text(cut).last == "│    ┘  mgmt  10.78.0.11")
    let empty = ObservedState(
      engineID: "e", generation: 1, resources: [MapFixture.user],
      host: HostCapacity(cpuMillicores: 1000, memory: 1 << 30))
    let none = try HostMap(empty, scope: PlanScope(), hostName: "h")
    #expect(text(none) == ["host h  1 CPU  1 GiB memory"])
    #expect(MapSVG(none).document.hasSuffix("</svg>\n"))
  }

  @Test("a record that doesn't read is an error, not an absence")
  func damaged() {
    var machine = MapFixture.web1
    machine.resource.spec["cpu"] = "many"
    let state = ObservedState(
      engineID: "e", generation: 1, resources: [machine],
      host: HostCapacity(cpuMillicores: 1000, memory: 1 << 30))
    #expect(throws: SpecificationError.self) {
      try HostMap(state, scope: PlanScope(), hostName: "h")
    }
  }

  @Test("Graphviz draws it")
  func dot() throws {
    let lines = MapDOT(try MapFixture.map()).lines
    for line in [
      ##"    subgraph "cluster_host/dev" {"##,
      ##"      "vm/web1" [label="web1\nRunning\n1 CPU, 512Mi\nroot 4Gi, data=web1-data 20Gi", fillcolor="#dcfce7"];"##,
      #"  "vm/db1" -- "net/lab" [label="lan", style=dashed];"#,
    ] {
      #expect(lines.contains(line))
    }
    let scratch = try Scratch()
    try scratch.write("map.dot", lines.joined(separator: "\n"))
    let svg = try Tool.check("dot", ["-Tsvg", scratch.file("map.dot")])
    // Graphviz escapes what it took for text.
    #expect(svg.contains("nft said &quot;no &lt;table&gt; &amp; left&quot;.]]&gt;"))
    #expect(svg.contains(">0.0.0.0:5353&#45;&gt;53/udp<"))
  }

  @Test("Mermaid's language, where what means something to it is written by its number")
  func mermaid() throws {
    let text = MapMermaid(try MapFixture.map()).lines.joined(separator: "\n")
    #expect(
      text.hasPrefix(
        """
        flowchart TB
          subgraph host["forge, 4 CPUs, 16 GiB memory"]
            m0["bare<br/>Halted<br/>1 CPU, 512Mi"]:::plain
            m1["box<br/>Running<br/>1 CPU, 512Mi"]:::good
            subgraph host_0["dev, at most 2 CPUs and 2Gi"]
              m2["web1<br/>Running<br/>1 CPU, 512Mi<br/>root 4Gi<br/>data=web1-data 20Gi"]:::good
              subgraph host_0_0["stores, 512Mi guaranteed"]
                m3["db1<br/>Crashed<br/>2 CPUs, 512Mi"]:::bad
              end
            end
          end
          n0(["default<br/>user<br/>each machine alone"]):::net
        """))
    #expect(text.contains("nft said #34;no #60;table#62; #38; left#34;.]]#62;\"]):::bad"))
    #expect(text.contains("\n  m3 -.-|\"lan\"| n1\n"))
  }

  @Test("data")
  func json() throws {
    let value = MapJSON(try MapFixture.map()).value
    #expect(value["host"] == ["name": "forge", "facts": ["4 CPUs", "16 GiB memory"]])
    #expect(value["networks"]?.array?.map { $0["state"] } == ["Ready", "Up", "Failed"])
    #expect(
      value["pools"]?.array?.last
        == ["name": "stores", "parent": "dev", "facts": ["512Mi guaranteed"]])
    let machines = try #require(value["machines"]?.array)
    #expect(machines.map { $0["name"] } == ["bare", "box", "web1", "db1"])
    #expect(machines.map { $0["pool"] } == [.null, .null, "dev", "stores"])
    #expect(
      machines[2]["interfaces"]?.array?.first == [
        "name": "lan", "network": "lab", "mac": "52:54:00:00:00:0b",
        "addresses": ["10.77.0.11", "fd12:3456::b"], "connected": true,
        "ports": [
          ["protocol": "tcp", "address": "127.0.0.1", "host": 8080, "guest": 80],
          ["protocol": "udp", "address": "0.0.0.0", "host": 5353, "guest": 53],
        ],
      ])
  }
}
