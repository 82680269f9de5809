import Archive
import SystemIO
import TestSupport

/// A scratch tree and GNU tar beside it.
struct Tar {
  let scratch: Scratch
  /// The directory that is packed.
  let tree: String

  init() throws {
    scratch = try Scratch()
    tree = scratch.file("tree")
    try makeDirectories(tree)
  }

  /// Packs members of the tree and answers the archive's path.
  func pack(_ members: [String] = ["."], _ options: [String] = [], as name: String = "a.tar") throws
    -> String
  {
    let path = scratch.file(name)
    try Tool.check("tar", ["-C", tree, "--sort=name", "-cf", path] + options + members)
    return path
  }

  /// Runs a shell command in the tree.
  func shell(_ command: String) throws {
    try Tool.check("bash", ["-ec", command], in: tree)
  }
}

/// An entry with its data, holes filled with zeros.
struct ReadEntry {
  var entry: ArchiveEntry
  var data: [UInt8]
  /// Bytes that came from the archive, holes left out.
  var stored: Int

  var path: String { printable(entry.path) }
}

/// Reads an archive to its end.
func readArchive(
  _ path: String, limits: ArchiveLimits = ArchiveLimits(), allowsMissingEnd: Bool = false
) throws -> [ReadEntry] {
  try readArchive(
    Descriptor.open(path, .read), limits: limits, allowsMissingEnd: allowsMissingEnd)
}

/// Reads an archive to its end.
func readArchive(
  _ descriptor: Descriptor, limits: ArchiveLimits = ArchiveLimits(),
  allowsMissingEnd: Bool = false
) throws -> [ReadEntry] {
  let reader = try ArchiveReader(
    descriptor, limits: limits, allowsMissingEnd: allowsMissingEnd)
  var entries: [ReadEntry] = []
  while let entry = try reader.next() {
    var read = ReadEntry(entry: entry, data: .init(repeating: 0, count: entry.size), stored: 0)
    try reader.readData { bytes, offset in
      read.data.replaceSubrange(offset..<offset + bytes.count, with: bytes)
      read.stored += bytes.count
    }
    entries.append(read)
  }
  return entries
}

/// A tar header of 512 bytes (POSIX ustar), for archives that no tool would write.
func header(
  _ name: String, type: Character, size: Int, link: String = "", device: (Int, Int) = (0, 0)
)
  -> [UInt8]
{
  var block = [UInt8](repeating: 0, count: 512)
  func put(_ text: String, at offset: Int) {
    block.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
  }
  put(name, at: 0)
  put("0000644", at: 100)
  put("0", at: 108)
  put("0", at: 116)
  put(String(size, radix: 8), at: 124)
  put("0", at: 136)
  put("        ", at: 148)
  put(String(type), at: 156)
  put(link, at: 157)
  put("ustar\u{0}00", at: 257)
  put(String(device.0, radix: 8), at: 329)
  put(String(device.1, radix: 8), at: 337)
  put(String(block.reduce(0) { $0 + Int($1) }, radix: 8), at: 148)
  block[155] = 0
  return block
}

/// The end mark of an archive.
let endMark = [UInt8](repeating: 0, count: 1024)

/// An archive's pax header with one record.
func paxHeader(_ key: String, _ value: [UInt8]) -> [UInt8] {
  let rest = Array(" \(key)=".utf8) + value + [10]
  var length = rest.count + 1
  while String(length).utf8.count + rest.count != length { length += 1 }
  let body = Array(String(length).utf8) + rest
  let padding = [UInt8](repeating: 0, count: (512 - body.count % 512) % 512)
  return header("pax", type: "x", size: body.count) + body + padding
}
