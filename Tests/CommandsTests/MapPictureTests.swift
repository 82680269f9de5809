import EngineInterface
import JSON
import Planning
import Resources
import TestSupport
import Testing
import XML

@testable import Commands

@Suite("The map of a host as a picture")
struct MapPictureTests {
  @Test("it is XML, whatever the names of things are, and holds no script")
  func document() throws {
    let root = try XMLElement(parsing: Array(MapSVG(try MapFixture.map()).document.utf8))
    #expect(root.name == "svg")
    let all = elements(root)
    #expect(
      Set(all.map(\.name)) == [
        "svg", "title", "style", "rect", "text", "tspan", "path", "circle", "g",
      ])
    let texts = all.map(\.text)
    for text in [
      "forge", "web1", "Crashed", "8080 → 80", "data=web1-data 20Gi", "unplugged",
      "nft said \"no <table> & left\".]]>",
    ] {
      #expect(texts.contains(text), "\(text)")
    }
  }

  private func elements(_ element: XMLElement) -> [XMLElement] {
    [element] + element.children.flatMap(elements)
  }

  @Test("the same map gives the same picture")
  func determinism() throws {
    let map = try Self.host(machines: 23)
    #expect(MapSVG(map).document == MapSVG(map).document)
    #expect(MapSVG(map).document == MapSVG(try Self.host(machines: 23)).document)
  }

  @Test(
    "cards stand apart and in their pools, wires end at their bars",
    arguments: [0, 1, 2, 7, 23, 120])
  func layout(machines: Int) throws {
    let map = try Self.host(machines: machines)
    let layout = MapLayout(map)
    #expect(layout.cards.map(\.machine.name) == map.host.allMachines.map(\.name))
    for (index, card) in layout.cards.enumerated() {
      #expect(layout.host.holds(card.frame))
      for other in layout.cards[(index + 1)...] { #expect(!card.frame.meets(other.frame)) }
      for bar in layout.bars {
        #expect(!(card.frame.y...card.frame.bottom).contains(bar.y))
      }
    }
    for box in layout.boxes {
      #expect(layout.host.holds(box.frame))
      let mine = Set(box.pool.allMachines.map(\.name))
      for card in layout.cards {
        #expect(box.frame.holds(card.frame) == mine.contains(card.machine.name))
        #expect(box.frame.meets(card.frame) == mine.contains(card.machine.name))
      }
      for other in layout.boxes where box.frame != other.frame && box.frame.meets(other.frame) {
        #expect(box.frame.holds(other.frame) || other.frame.holds(box.frame))
      }
    }
    let drops = layout.bars.flatMap { bar in bar.drops.map { (bar, $0) } }
    #expect(drops.count == map.host.allMachines.flatMap(\.interfaces).count)
    for (bar, drop) in drops {
      #expect(drop.top < bar.y)
      #expect(drop.x < bar.end)
      // Between its card and its bar no wire meets a card.
      for card in layout.cards where (card.frame.x...card.frame.right).contains(drop.x) {
        #expect(card.frame.bottom <= drop.top || card.frame.y > bar.y)
      }
    }
  }

  /// A host with three pools in each other and some machines in each, on five networks.
  static func host(machines: Int) throws -> HostMap {
    let networks = (0..<5).map { number in
      ObservedResource(
        .normalized(.network, "net\(number)", ["mode": number == 4 ? "user" : "nat"]),
        uid: "n\(number)")
    }
    let pools: [JSONValue] = [[:], ["parent": "pool0"], ["parent": "pool1"], ["parent": "pool0"]]
    let resources = pools.enumerated().map { number, spec in
      ObservedResource(.normalized(.resourcePool, "pool\(number)", spec), uid: "p\(number)")
    }
    let guests = (0..<machines).map { number in
      let interfaces = (0..<(number % 4)).map { index -> JSONValue in
        ["name": .string("if\(index)"), "network": .string("net\((number + index) % 5)")]
      }
      let pool = ["default", "pool0", "pool1", "pool2", "pool3"][number * 7 % 5]
      return ObservedResource(
        .normalized(
          .virtualMachine, "machine-\(100 + number)",
          ["resourcePool": .string(pool), "interfaces": .array(interfaces)]), uid: "m\(number)",
        machine: MachineStatus(state: .running))
    }
    return try HostMap(
      ObservedState(
        engineID: "e", generation: 1, resources: networks + resources + guests,
        host: HostCapacity(cpuMillicores: 8000, memory: 1 << 36)), scope: PlanScope(),
      hostName: "big")
  }
}

extension MapLayout.Rectangle {
  fileprivate func holds(_ other: MapLayout.Rectangle) -> Bool {
    x <= other.x && y <= other.y && right >= other.right && bottom >= other.bottom
  }

  fileprivate func meets(_ other: MapLayout.Rectangle) -> Bool {
    x < other.right && other.x < right && y < other.bottom && other.y < bottom
  }
}
