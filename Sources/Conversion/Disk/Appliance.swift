internal import Archive
internal import DiskImage
internal import SystemIO

/// An Open Virtual Appliance: a tar of a description (DMTF DSP0243, OVF 1.1), a manifest of SHA-256
/// digests and a streamOptimized VMDK.
struct Appliance {
  /// The appliance's name, from which its files have theirs.
  let name: String
  /// The guest's disk, in bytes.
  let virtualSize: Int

  /// - Parameter path: of the appliance, whose last part gives the name.
  init(path: String, virtualSize: Int) {
    let file = path.split(separator: "/").last.map(String.init) ?? ""
    let stem = file.hasSuffix(".ova") ? String(file.dropLast(4)) : file
    // Names go into XML, a URL and a tar header of 100 bytes.
    let plain = stem.unicodeScalars.prefix(60).map { scalar in
      let isPlain =
        scalar.isASCII
        && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil
          || "-._".unicodeScalars.contains(scalar))
      return isPlain ? Character(scalar) : "-"
    }
    name = plain.isEmpty ? "appliance" : String(plain)
    self.virtualSize = virtualSize
  }

  /// Packs a finished VMDK.
  func pack(_ disk: Descriptor, to output: Descriptor, cancellation: Cancellation) throws {
    let size = try disk.size()
    let description = Array(descriptor(diskSize: size).utf8)
    let manifest = """
      SHA256(\(name).ovf)= \(Digest.hexadecimal(Digest.ofBytes(description)))
      SHA256(\(name)-disk1.vmdk)= \(try Digest.ofFile(disk))

      """
    // The description comes first, and the manifest right after it (DSP0243, 5.3).
    try writeTar(
      [
        TarMember(name: "\(name).ovf", content: .bytes(description)),
        TarMember(name: "\(name).mf", content: .bytes(Array(manifest.utf8))),
        TarMember(name: "\(name)-disk1.vmdk", content: .file(disk)),
      ], to: output, progress: { _ in try cancellation.check() })
  }

  /// The description: one machine of two processors and 2 GiB with one disk and one interface, on
  /// devices that every hypervisor knows.
  private func descriptor(diskSize: Int) -> String {
    """
    <?xml version="1.0" encoding="UTF-8"?>
    <Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" \
    xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" \
    xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData" \
    xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData">
      <References>
        <File ovf:id="file1" ovf:href="\(name)-disk1.vmdk" ovf:size="\(diskSize)"/>
      </References>
      <DiskSection>
        <Info>Virtual disks</Info>
        <Disk ovf:diskId="disk1" ovf:fileRef="file1" ovf:capacity="\(virtualSize)" \
    ovf:capacityAllocationUnits="byte" \
    ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/>
      </DiskSection>
      <NetworkSection>
        <Info>Networks</Info>
        <Network ovf:name="VM Network">
          <Description>The network the machine is attached to</Description>
        </Network>
      </NetworkSection>
      <VirtualSystem ovf:id="\(name)">
        <Info>A virtual machine</Info>
        <Name>\(name)</Name>
        <OperatingSystemSection ovf:id="101">
          <Info>Linux, 64 bits</Info>
        </OperatingSystemSection>
        <VirtualHardwareSection>
          <Info>Virtual hardware</Info>
          <System>
            <vssd:ElementName>Virtual Hardware Family</vssd:ElementName>
            <vssd:InstanceID>0</vssd:InstanceID>
            <vssd:VirtualSystemIdentifier>\(name)</vssd:VirtualSystemIdentifier>
            <vssd:VirtualSystemType>vmx-10</vssd:VirtualSystemType>
          </System>
    \(items)
        </VirtualHardwareSection>
      </VirtualSystem>
    </Envelope>

    """
  }

  /// The devices; the members of each stand in the alphabetical order that the schema wants.
  private var items: String {
    let items: [[(String, String)]] = [
      [
        ("AllocationUnits", "hertz * 10^6"), ("ElementName", "2 virtual CPUs"),
        ("InstanceID", "1"), ("ResourceType", "3"), ("VirtualQuantity", "2"),
      ],
      [
        ("AllocationUnits", "byte * 2^20"), ("ElementName", "2048 MiB of memory"),
        ("InstanceID", "2"), ("ResourceType", "4"), ("VirtualQuantity", "2048"),
      ],
      [
        ("Address", "0"), ("ElementName", "SCSI controller 0"), ("InstanceID", "3"),
        ("ResourceSubType", "lsilogic"), ("ResourceType", "6"),
      ],
      [
        ("AddressOnParent", "0"), ("ElementName", "Disk 1"), ("HostResource", "ovf:/disk/disk1"),
        ("InstanceID", "4"), ("Parent", "3"), ("ResourceType", "17"),
      ],
      [
        ("AddressOnParent", "1"), ("AutomaticAllocation", "true"), ("Connection", "VM Network"),
        ("ElementName", "Network adapter 1"), ("InstanceID", "5"), ("ResourceSubType", "E1000"),
        ("ResourceType", "10"),
      ],
    ]
    return items.map { members in
      let lines = members.map { "        <rasd:\($0.0)>\($0.1)</rasd:\($0.0)>" }
      return (["      <Item>"] + lines + ["      </Item>"]).joined(separator: "\n")
    }.joined(separator: "\n")
  }
}
