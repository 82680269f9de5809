internal import JSON
internal import Resources

/// The resources that must be there for as long as a resource is, sorted, each once.
///
/// - Throws: `SpecificationError`.
func references(of resource: Resource) throws -> [ResourceID] {
  var found: Set<ResourceID> = []
  switch resource.id.kind {
  // Groups may name each other, so that one is made or goes before the other.
  case .storagePool, .network, .securityGroup: break
  case .resourcePool:
    if let parent = try ResourcePoolSpecification(resource.spec).parent {
      found.insert(ResourceID(.resourcePool, parent))
    }
  case .image:
    if case .image(let name) = try ImageSpecification(resource.spec).source {
      found.insert(ResourceID(.image, name))
    }
  case .volume:
    found.insert(ResourceID(.storagePool, try VolumeSpecification(resource.spec).pool))
  case .virtualMachine:
    let spec = try MachineSpecification(resource.spec)
    found.insert(ResourceID(.resourcePool, spec.resourcePool))
    for disk in spec.disks {
      switch disk.source {
      case .image(let name):
        found.insert(ResourceID(.image, name))
        found.insert(ResourceID(.storagePool, disk.pool))
      case .volume(let name): found.insert(ResourceID(.volume, name))
      case .empty: found.insert(ResourceID(.storagePool, disk.pool))
      }
    }
    for interface in spec.interfaces {
      found.insert(ResourceID(.network, interface.network))
      for name in interface.securityGroups { found.insert(ResourceID(.securityGroup, name)) }
    }
  }
  return found.sorted()
}

/// What is there without being declared: a storage pool, a resource pool and a network `default`.
func builtInResources() -> [Resource] {
  let lifecycle: JSONValue = ["deletionProtection": false]
  let part: JSONValue = ["shares": 1000, "reservation": 0, "expandable": true]
  return [
    Resource(ResourceID(.storagePool, "default"), spec: ["type": "dir", "lifecycle": lifecycle]),
    Resource(
      ResourceID(.resourcePool, "default"),
      spec: ["cpu": part, "memory": part, "lifecycle": lifecycle]),
    Resource(ResourceID(.network, "default"), spec: ["mode": "user", "lifecycle": lifecycle]),
  ]
}
