import JSON
import Resources
import Testing

@Suite("Differences between specifications")
struct DifferenceTests {
  private let machine = Schema.table(for: .virtualMachine)

  private func show(_ schema: Schema, _ before: JSONValue, _ after: JSONValue) -> [String] {
    schema.differences(from: before, to: after).map {
      "\($0.path) \(schema.text(of: $0.before, at: $0.path)) -> "
        + "\(schema.text(of: $0.after, at: $0.path)) \($0.effect.word)"
    }
  }

  @Test("equal specifications have none, defaults written or not")
  func equal() {
    let written: JSONValue = ["cpu": ["count": 1, "model": "host", "reservation": 0], "disks": []]
    #expect(machine.differences(from: [:], to: written).isEmpty)
    #expect(machine.differences(from: written, to: [:]).isEmpty)
  }

  @Test("fields come in the order of the table with their own effects")
  func scalars() {
    #expect(
      show(
        machine,
        ["memory": ["guest": .integer(1 << 30)], "cpu": ["count": 2], "runStrategy": "Always"],
        [
          "runStrategy": "Halted", "cpu": ["count": 4, "max": 8],
          "memory": ["guest": .integer(2 << 30)],
        ])
        == [
          "runStrategy Always -> Halted live", "cpu.count 2 -> 4 next-boot",
          "cpu.max unset -> 8 next-boot", "memory.guest 1Gi -> 2Gi next-boot",
        ])
  }

  @Test("elements are told apart by their keys")
  func elements() {
    let before: JSONValue = [
      "disks": [
        ["name": "root", "image": "a", "size": .integer(4 << 30)],
        ["name": "old", "size": 1_048_576],
      ]
    ]
    let after: JSONValue = [
      "disks": [
        ["name": "new", "volume": "v"], ["name": "root", "image": "b", "size": .integer(8 << 30)],
      ]
    ]
    #expect(
      show(machine, before, after) == [
        "disks[old] {name: old, size: 1Mi} -> unset next-boot",
        "disks[new] unset -> {name: new, volume: v} next-boot",
        "disks[root].image a -> b replace", "disks[root].size 4Gi -> 8Gi live",
      ])
  }

  @Test("another order of the same elements is one change")
  func order() {
    let a: JSONValue = ["name": "a", "size": 1_048_576]
    let b: JSONValue = ["name": "b", "size": 1_048_576]
    #expect(
      show(machine, ["disks": [a, b]], ["disks": [b, a]]) == ["disks [a, b] -> [b, a] next-boot"])
  }

  @Test("ports are told apart by port and protocol")
  func ports() {
    func spec(_ host: Int64) -> JSONValue {
      [
        "interfaces": [
          [
            "name": "lan",
            "ports": [
              ["guest": 53, "protocol": "udp", "host": 53],
              ["guest": 53, "protocol": "tcp", "host": .integer(host)],
            ],
          ]
        ]
      ]
    }
    #expect(
      show(machine, spec(5353), spec(5354))
        == ["interfaces[lan].ports[53/tcp].host 5353 -> 5354 live"])
  }

  @Test("a disk grows live and never shrinks")
  func sizes() throws {
    let volume = Schema.table(for: .volume)
    #expect(show(volume, ["size": 1024], ["size": 2048]) == ["size 1Ki -> 2Ki live"])
    let growth = try #require(volume.differences(from: ["size": 1024], to: ["size": 2048]).first)
    #expect(growth.note == nil)
    let change = try #require(volume.differences(from: ["size": 2048], to: ["size": 1024]).first)
    #expect(change.effect == .refused)
    #expect(change.note?.contains("only grow") == true)
  }

  @Test("a disk that is another one from the next boot on has its size from then on")
  func otherDisks() {
    func disk(_ more: JSONValue) -> JSONValue {
      var disk: JSONValue = ["name": "data"]
      for member in more.object?.members ?? [] { disk[member.name] = member.value }
      return ["disks": [disk]]
    }
    #expect(
      show(machine, disk(["volume": "v"]), disk(["size": 4096]))
        == ["disks[data].volume v -> unset next-boot", "disks[data].size unset -> 4Ki next-boot"])
    #expect(
      show(machine, disk(["size": 4096]), disk(["size": 8192]))
        == ["disks[data].size 4Ki -> 8Ki live"])
  }

  @Test("a group that appears or goes is one change with the hardest effect in it")
  func groups() {
    #expect(
      show(machine, [:], ["readinessProbe": ["guestAgent": [:], "timeout": 180, "period": 5]])
        == ["readinessProbe unset -> {guestAgent: {}, timeout: 3m, period: 5s} live"])
    #expect(
      show(machine, ["cloudInit": ["userData": ["a": 1]]], [:])
        == ["cloudInit {userData: {a: 1}} -> unset next-boot"])
    let image = Schema.table(for: .image)
    #expect(
      show(
        image, ["source": ["tree": ["path": "/a"]]], ["source": ["archive": ["path": "/a.tar"]]])
        == [
          "source.tree {path: /a} -> unset replace",
          "source.archive unset -> {path: /a.tar} replace",
        ])
  }

  @Test("what ingot serves a network changes live, what QEMU does is a part of each guest's start")
  func networks() {
    let network = Schema.table(for: .network)
    func spec(_ mode: JSONValue, _ number: Int, dns: Bool = true) -> JSONValue {
      var spec: JSONValue = ["mode": mode, "subnet": .string("10.\(number).0.0/24")]
      spec["dhcp"] = ["range": [.string("10.\(number).0.9"), .string("10.\(number).0.99")]]
      if dns { spec["dns"] = ["domain": .string("n\(number).test")] }
      return spec
    }
    func effects(_ before: JSONValue, _ after: JSONValue) -> [String] {
      network.differences(from: before, to: after).map { difference in
        #expect(difference.live == nil)
        return "\(difference.path) \(difference.effect.word)"
      }
    }
    let waiting = ["subnet next-boot", "dhcp.range next-boot", "dns.domain next-boot"]
    let served = ["subnet next-boot", "dhcp.range live", "dns.domain live"]
    #expect(effects(spec("user", 1), spec("user", 2)) == waiting)
    #expect(effects(spec("nat", 1), spec("nat", 2)) == served)
    #expect(effects(spec("nat", 1), spec("isolated", 2)) == ["mode next-boot"] + served)
    #expect(effects(spec("user", 1), spec("nat", 2)) == ["mode next-boot"] + waiting)
    // A group that appears counts as what is in it.
    #expect(effects(spec("nat", 1, dns: false), spec("nat", 1)) == ["dns live"])
    #expect(effects(spec("user", 1, dns: false), spec("user", 1)) == ["dns next-boot"])
    #expect(
      effects(["mode": "nat", "mtu": 1500], ["mode": "nat", "mtu": 9000]) == ["mtu next-boot"])
  }

  @Test("names of a network are told apart, also by dots in them")
  func hosts() {
    let network = Schema.table(for: .network)
    func spec(_ hosts: [String: String]) -> JSONValue {
      let list = hosts.sorted { $0.key < $1.key }.map { name, address -> JSONValue in
        ["name": .string(name), "addresses": [.string(address)]]
      }
      return ["mode": "nat", "dns": ["hosts": .array(list)]]
    }
    #expect(
      show(
        network, spec(["a.test": "10.0.0.1", "b": "10.0.0.2"]),
        spec(["a.test": "10.0.0.9", "c": "10.0.0.3"]))
        == [
          "dns.hosts[b] {name: b, addresses: [10.0.0.2]} -> unset live",
          "dns.hosts[a.test].addresses [10.0.0.1] -> [10.0.0.9] live",
          "dns.hosts[c] unset -> {name: c, addresses: [10.0.0.3]} live",
        ])
  }
}
