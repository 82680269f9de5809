import Diagnostics
import EngineInterface
import JSON
import Planning
import Resources
import TestSupport

/// A moment all ages are counted from.
let noon: Int64 = 1_800_000_000

/// A machine that runs and one that never did, an image, a volume.
enum Fixture {
  static let web1 = Resource.normalized(
    .virtualMachine, "web1",
    [
      "cpu": ["count": 2], "memory": ["guest": 536_870_912],
      "disks": [
        ["name": "root", "image": "debian-12", "size": 8_589_934_592],
        ["name": "data", "volume": "web1-data"],
      ],
      "interfaces": [["name": "lan", "network": "lab", "ports": [["guest": 22], ["guest": 80]]]],
    ], labels: [.init(name: "app", value: "web")], set: "web")

  static let running = ObservedResource(
    web1, uid: "u-1", generation: 3, created: noon - 7200,
    machine: MachineStatus(
      state: .running, isReady: true, addresses: ["10.0.2.15", "fe80::1"], since: noon - 90,
      processID: 4711, accelerator: "tcg", restartRequired: ["cpu.model"], restarts: 1,
      hasAgent: true, boot: BootProgress(.login, evidence: "web1 login:")),
    details: [
      "directory": "/home/machines/u-1",
      "ports": ["lan/tcp/22": "tcp:127.0.0.1:40022", "lan/tcp/80": "tcp:0.0.0.0:8080"],
    ])

  static let crashed = ObservedResource(
    .normalized(
      .virtualMachine, "a-machine-with-a-rather-long-name",
      ["disks": [["name": "root", "image": "debian-12"]]]),
    uid: "u-2", created: noon - 200_000,
    machine: MachineStatus(state: .crashed, reason: "panic: \u{1b}[31mno root\u{7}"))

  static let image = ObservedResource(
    .normalized(
      .image, "debian-12", ["source": ["tree": ["path": "/srv/tree"]], "boot": ["direct"]]),
    uid: "u-3", created: noon - 60,
    details: ["digest": "sha256:0123456789abcdef0123", "virtualSize": 1_503_238_553])

  static let volume = ObservedResource(
    .normalized(.volume, "web1-data", ["size": 21_474_836_480]), uid: "u-4", created: noon - 3600)

  static let state = ObservedState(
    engineID: "e", generation: 7, resources: [running, crashed, image, volume],
    host: HostCapacity(cpuMillicores: 4000, memory: 1 << 34))

  static let span = SourceSpan(file: "site/web.yaml", line: 12, column: 3)

  /// One action of each sort.
  static let plan = Plan(
    engineID: "e", generation: 7,
    actions: [
      PlannedAction(
        .create(volume.resource), reason: PlanReason(.missing, "declared and not there"),
        effect: .none, source: span),
      PlannedAction(
        .update(web1, restart: false), reason: PlanReason(.changed, "4 fields differ"),
        effect: .nextBoot,
        changes: [
          FieldChange(
            path: "memory.guest", before: .integer(512 << 20), after: .integer(1 << 30),
            effect: .live, note: "by balloon"),
          FieldChange(path: "cpu.model", before: "host", after: "qemu64", effect: .nextBoot),
          FieldChange(
            path: "disks[data]", before: nil,
            after: ["name": "data", "size": 1_073_741_824, "pool": "default"], effect: .live),
          FieldChange(
            path: "readinessProbe.timeout", before: .integer(180), after: nil, effect: .none),
        ], source: span),
      PlannedAction(
        .replace(image.resource),
        reason: PlanReason(.inputsChanged, "what it is built from changed"), effect: .replace),
      PlannedAction(
        .delete(ResourceID(.network, "lab")), reason: PlanReason(.removed, "left the manifests"),
        effect: .none),
    ],
    refused: [
      RefusedAction(
        verb: "delete", id: ResourceID(.virtualMachine, "db1"),
        diagnostic: Diagnostic(
          "protected", "deletionProtection is set", path: "spec.lifecycle", at: span,
          help: "set deletionProtection: false and apply first"))
    ], unchanged: [ResourceID(.storagePool, "fast")])
}
