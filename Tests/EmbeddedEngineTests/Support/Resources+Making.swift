import EmbeddedEngine
import EngineInterface
import JSON
import Resources
import TestSupport

private let lifecycle: JSONValue = ["deletionProtection": false]

/// A resource of a manifest that sets every field.
private func declared(_ id: ResourceID, spec: JSONValue) -> Resource {
  Resource(id, spec: spec, written: WrittenFields(Resource.paths(in: spec, of: id.kind)))
}

func pool(_ name: String, path: String? = nil) -> Resource {
  var spec: JSONValue = ["type": "dir"]
  if let path { spec["path"] = .string(path) }
  spec["lifecycle"] = lifecycle
  return declared(ResourceID(.storagePool, name), spec: spec)
}

func resourcePool(_ name: String, parent: String? = nil) -> Resource {
  let part: JSONValue = ["shares": 1000, "reservation": 0, "expandable": true]
  var spec: JSONValue = ["cpu": part, "memory": part, "lifecycle": lifecycle]
  if let parent { spec["parent"] = .string(parent) }
  return declared(ResourceID(.resourcePool, name), spec: spec)
}

func network(_ name: String, mode: String = "user") -> Resource {
  declared(
    ResourceID(.network, name), spec: ["mode": .string(mode), "lifecycle": lifecycle])
}

func volume(
  _ name: String, pool: String = "default", size: Int64 = 1 << 20, format: String = "qcow2"
) -> Resource {
  declared(
    ResourceID(.volume, name),
    spec: [
      "pool": .string(pool), "size": .integer(size), "format": .string(format),
      "lifecycle": lifecycle,
    ])
}

func image(_ name: String, tree: String = "/nowhere", base: String? = nil) -> Resource {
  let source: JSONValue =
    base.map { ["image": .string($0)] } ?? ["tree": ["path": .string(tree)]]
  return declared(
    ResourceID(.image, name),
    spec: [
      "source": source, "mode": "template", "boot": ["bios"], "format": "raw", "exclude": [],
      "lifecycle": lifecycle,
    ])
}

/// A machine that boots by SeaBIOS.
func machine(
  _ name: String, disks: [JSONValue] = [], interfaces: [JSONValue] = [],
  strategy: String = "Manual", memory: Int64 = 32 << 20, probe: JSONValue? = nil
) -> Resource {
  var spec: JSONValue = [
    "runStrategy": .string(strategy), "resourcePool": "default",
    "cpu": ["count": 1, "model": "host", "reservation": 0],
    "memory": ["guest": .integer(memory), "reservation": 0], "firmware": ["boot": "bios"],
    "disks": .array(disks), "interfaces": .array(interfaces),
  ]
  if let probe { spec["readinessProbe"] = probe }
  spec["terminationGracePeriod"] = 1
  spec["lifecycle"] = lifecycle
  return declared(ResourceID(.virtualMachine, name), spec: spec)
}

func disk(
  _ name: String, image: String? = nil, volume: String? = nil, size: Int64? = nil
) -> JSONValue {
  var disk: JSONValue = ["name": .string(name)]
  if let image { disk["image"] = .string(image) }
  if let volume { disk["volume"] = .string(volume) }
  if let size { disk["size"] = .integer(size) }
  disk["pool"] = "default"
  return disk
}

func interface(
  _ name: String, network: String = "default", mac: String? = nil, ports: [JSONValue] = []
) -> JSONValue {
  var interface: JSONValue = ["name": .string(name), "network": .string(network)]
  if let mac { interface["mac"] = .string(mac) }
  interface["ports"] = .array(ports)
  return interface
}

func port(_ guest: Int64, host: Int64? = nil) -> JSONValue {
  var port: JSONValue = ["address": "127.0.0.1"]
  if let host { port["host"] = .integer(host) }
  port["guest"] = .integer(guest)
  port["protocol"] = "tcp"
  return port
}

extension EmbeddedEngine {
  /// Does an act without caring for its progress.
  @discardableResult
  func perform(_ act: Act) async throws -> ActOutcome {
    try await perform(act, inputs: nil, progress: { _ in })
  }

  func resource(_ kind: Kind, _ name: String) async throws -> ObservedResource? {
    try await observe().resources.first { $0.resource.id == ResourceID(kind, name) }
  }
}
