internal import JSON
internal import Resources
internal import TestSupport

// Resources as manifests give them, with what matters here. `ROOT` in a path stands for the run's
// own directory.

func pool(_ name: String, path: String? = nil) -> Resource {
  .normalized(.storagePool, name, path.map { ["path": .string("ROOT" + $0)] } ?? [:])
}

func resourcePool(_ name: String) -> Resource { .normalized(.resourcePool, name) }

func network(_ name: String, mode: String = "user", domain: String? = nil) -> Resource {
  var spec: JSONValue = ["mode": .string(mode)]
  if let domain { spec["dns"] = ["domain": .string(domain)] }
  return .normalized(.network, name, spec)
}

func volume(
  _ name: String, pool: String = "default", size: Int64 = 1 << 20, format: String = "qcow2"
) -> Resource {
  .normalized(
    .volume, name,
    ["pool": .string(pool), "size": .integer(size), "format": .string(format)])
}

/// An image made from the raw disk `ROOT/FILE.raw`.
func image(_ name: String, file: String = "disk") -> Resource {
  .normalized(
    .image, name,
    [
      "source": ["file": ["path": .string("ROOT/\(file).raw"), "format": "raw"]],
      "boot": ["bios"],
    ])
}

func machine(
  _ name: String, disks: [JSONValue] = [], interfaces: [JSONValue] = [], strategy: String,
  memory: Int64 = 32 << 20, cpus: Int64 = 1, seed: String? = nil
) -> Resource {
  var spec: JSONValue = [
    "runStrategy": .string(strategy), "cpu": ["count": .integer(cpus), "max": 2],
    "memory": ["guest": .integer(memory)], "firmware": ["boot": "bios"],
    "disks": .array(disks), "interfaces": .array(interfaces), "terminationGracePeriod": 5,
  ]
  if let seed { spec["cloudInit"] = ["userData": .string("#cloud-config\nhostname: \(seed)\n")] }
  return .normalized(.virtualMachine, name, spec)
}

func disk(
  _ name: String, image: String? = nil, volume: String? = nil, size: Int64? = nil
) -> JSONValue {
  var disk: JSONValue = ["name": .string(name)]
  if let image { disk["image"] = .string(image) }
  if let volume { disk["volume"] = .string(volume) }
  if let size { disk["size"] = .integer(size) }
  return disk
}

func interface(_ name: String, network: String = "default", ports: [JSONValue] = []) -> JSONValue {
  ["name": .string(name), "network": .string(network), "ports": .array(ports)]
}

func port(_ guest: Int64) -> JSONValue {
  ["guest": .integer(guest)]
}

extension Resource {
  /// The resource with its paths in a run's directory.
  func placed(in root: String) -> Resource {
    var placed = self
    placed.spec = spec.placed(in: root)
    return placed
  }
}

extension JSONValue {
  fileprivate func placed(in root: String) -> JSONValue {
    switch self {
    case .string(let text) where text.hasPrefix("ROOT/"): .string(root + text.dropFirst(4))
    case .array(let items): .array(items.map { $0.placed(in: root) })
    case .object(let object):
      .object(
        JSONObject(
          members: object.members.map { .init(name: $0.name, value: $0.value.placed(in: root)) }))
    default: self
    }
  }
}
