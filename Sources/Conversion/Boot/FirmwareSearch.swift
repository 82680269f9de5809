internal import DiskImage

/// The firmware that finds something to start on a disk, as far as the disk's first sectors and
/// its partition table tell: `bios` for boot code in the first sector, `uefi` for an EFI system
/// partition (UEFI 2.10, section 5.2 and 13.3.2).
func firmwareStarting(from disk: DiskReader) throws -> [String] {
  guard disk.size >= 512 else { return [] }
  let sector = try disk.read(at: 0, count: 512)
  guard sector[510] == 0x55, sector[511] == 0xaa else { return [] }
  var found: [String] = []
  // A protective MBR and an empty table have no code.
  if sector[..<440].contains(where: { $0 != 0 }) { found.append("bios") }
  let types = (0..<4).map { sector[446 + $0 * 16 + 4] }
  if types.contains(0xef) || hasSystemPartition(disk, types) { found.append("uefi") }
  return found
}

private func hasSystemPartition(_ disk: DiskReader, _ types: [UInt8]) -> Bool {
  guard types.contains(0xee) else { return false }
  // No firmware starts from a table that is damaged.
  guard let table = try? PartitionTable.read(from: disk) else { return false }
  return table.partitions.contains { $0.partition.type == .efiSystem }
}
