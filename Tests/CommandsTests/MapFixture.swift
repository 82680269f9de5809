import EngineInterface
import JSON
import Planning
import Resources
import TestSupport

@testable import Commands

/// A host with two segments, one of them broken, a machine behind a network of its own, nested
/// pools, and what of it was told from outside being of the nasty sort.
enum MapFixture {
  static let lab = ObservedResource(
    .normalized(.network, "lab", ["mode": "nat"]), uid: "n-1", created: noon - 60,
    details: [
      "directory": "/home/networks/n-1", "state": "up", "subnet": "10.77.0.0/24",
      "gateway": "10.77.0.1", "subnet6": "fd12:3456::/64", "gateway6": "fd12:3456::1",
      "domain": "lab.internal", "mtu": 1500, "uplink": "slirp4netns", "namespace": 4_026_532_345,
      "members": [
        [
          "machine": "db1", "interface": "lan", "mac": "52:54:00:00:00:0d",
          "address": "10.77.0.13", "isConnected": false, "isPlugged": false, "forwards": [],
          "received": 0, "sent": 0,
        ],
        [
          "machine": "web1", "interface": "lan", "mac": "52:54:00:00:00:0b",
          "address": "10.77.0.11", "address6": "fd12:3456::b", "name": "web1.lab.internal",
          "isConnected": true, "isPlugged": true,
          "forwards": [
            ["protocol": "tcp", "address": "127.0.0.1", "host": 8080, "guest": 80],
            [
              "protocol": "udp", "address": "0.0.0.0", "host": 5353, "guest": 53,
              "problem": "the port is taken",
            ],
          ],
          "received": 1_234_567, "sent": 890,
        ],
      ],
      "leases": [
        [
          "mac": "52:54:00:00:00:0b", "address": "10.77.0.11", "name": "web1",
          "expires": .integer(noon + 1800),
        ]
      ],
      "processes": [
        ["name": "supervisor", "pid": 70, "restarts": 0],
        ["name": "dnsmasq", "pid": 72, "restarts": 2],
      ],
    ])

  static let back = ObservedResource(
    .normalized(.network, "ops", ["mode": "isolated"]), uid: "n-2", created: noon - 60,
    details: [
      "state": "failed", "problem": "nft said \"no <table> & left\"\u{1b}]]>",
      "subnet": "10.78.0.0/24",
    ])

  static let user = ObservedResource(
    .normalized(.network, "default", ["mode": "user"]), uid: "n-0", isBuiltIn: true)

  static let pools = [
    ObservedResource(.normalized(.resourcePool, "default"), uid: "p-0", isBuiltIn: true),
    ObservedResource(
      .normalized(
        .resourcePool, "dev", ["cpu": ["limit": 2000], "memory": ["limit": 2_147_483_648]]),
      uid: "p-1"),
    ObservedResource(
      .normalized(
        .resourcePool, "stores", ["parent": "dev", "memory": ["reservation": 536_870_912]]),
      uid: "p-2"),
  ]

  static let web1 = ObservedResource(
    .normalized(
      .virtualMachine, "web1",
      [
        "resourcePool": "dev",
        "disks": [
          ["name": "root", "image": "debian-12", "size": 4_294_967_296],
          ["name": "data", "volume": "web1-data"],
        ],
        "interfaces": [
          [
            "name": "lan", "network": "lab",
            "ports": [["guest": 80], ["guest": 53, "protocol": "udp"]],
          ],
          ["name": "mgmt", "network": "ops", "address": "10.78.0.11"],
        ],
      ], labels: [.init(name: "app", value: "web")]), uid: "m-1",
    machine: MachineStatus(state: .running, isReady: true, addresses: ["10.77.0.11"]),
    details: [
      "ports": ["lan/tcp/80": "tcp:127.0.0.1:8080", "lan/udp/53": "udp:0.0.0.0:5353"],
      "interfaces": [
        [
          "name": "lan", "network": "lab", "mac": "52:54:00:00:00:0b", "address": "10.77.0.11",
          "address6": "fd12:3456::b",
        ]
      ],
    ])

  static let db1 = ObservedResource(
    .normalized(
      .virtualMachine, "db1",
      [
        "resourcePool": "stores", "cpu": ["count": 2],
        "interfaces": [["name": "lan", "network": "lab", "link": "down"]],
      ]), uid: "m-2",
    machine: MachineStatus(state: .crashed))

  static let box = ObservedResource(
    .normalized(.virtualMachine, "box", ["interfaces": [["name": "nic"]]]), uid: "m-3",
    machine: MachineStatus(
      state: .running, addresses: ["10.0.2.15", "fec0::5054:ff:fe00:1", "fe80::1"]))

  static let bare = ObservedResource(
    .normalized(.virtualMachine, "bare"), uid: "m-4", machine: MachineStatus(state: .halted))

  static let state = ObservedState(
    engineID: "e", generation: 7,
    resources: [lab, back, user, web1, db1, box, bare, Fixture.volume] + pools,
    host: HostCapacity(cpuMillicores: 4000, memory: 1 << 34))

  static func map(_ scope: PlanScope = PlanScope()) throws -> HostMap {
    try HostMap(state, scope: scope, hostName: "forge")
  }
}
