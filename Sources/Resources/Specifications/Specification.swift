public import JSON

/// A specification of any kind.
public enum Specification: Sendable {
  case storagePool(StoragePoolSpecification)
  case resourcePool(ResourcePoolSpecification)
  case network(NetworkSpecification)
  case securityGroup(SecurityGroupSpecification)
  case image(ImageSpecification)
  case volume(VolumeSpecification)
  case virtualMachine(MachineSpecification)

  /// Reads a normalised specification.
  public init(_ kind: Kind, _ spec: JSONValue) throws(SpecificationError) {
    switch kind {
    case .storagePool: self = .storagePool(try StoragePoolSpecification(spec))
    case .resourcePool: self = .resourcePool(try ResourcePoolSpecification(spec))
    case .network: self = .network(try NetworkSpecification(spec))
    case .securityGroup: self = .securityGroup(try SecurityGroupSpecification(spec))
    case .image: self = .image(try ImageSpecification(spec))
    case .volume: self = .volume(try VolumeSpecification(spec))
    case .virtualMachine: self = .virtualMachine(try MachineSpecification(spec))
    }
  }
}
