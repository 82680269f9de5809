internal import Ext4

/// A line of fstab(5), kept as it was where nothing changes.
struct FileSystemTable {
  /// An entry's six fields; the last two may be missing.
  struct Entry: Hashable {
    var source: String
    var target: String
    var type: String
    var options: [String]
    var rest: [String]

    init?(_ line: String) {
      let fields = line.split { $0 == " " || $0 == "\t" }.map(String.init)
      guard fields.count >= 3, !fields[0].hasPrefix("#") else { return nil }
      source = fields[0]
      target = fields[1]
      type = fields[2]
      options = (fields.count > 3 ? fields[3] : "defaults").split(separator: ",").map(String.init)
      rest = Array(fields.dropFirst(4))
    }

    var isRoot: Bool { target == "/" && type != "swap" }
    var isSwap: Bool { type == "swap" }
    /// What a partition for it is called.
    var place: String { isSwap ? PartitionLayout.swap : target }
    /// Whether it needs no disk of the old machine: made by the kernel, bound, or on the network.
    var needsNoDisk: Bool {
      Self.diskless.contains(type) || options.contains("bind") || options.contains("rbind")
        || type.hasPrefix("fuse.") || type == "nfs" || type == "nfs4" || type == "cifs"
    }

    var line: String {
      ([source, target, type, options.joined(separator: ",")] + rest).joined(separator: "\t")
    }

    private static let diskless: Set<String> = [
      "proc", "sysfs", "tmpfs", "devpts", "devtmpfs", "cgroup", "cgroup2", "debugfs", "tracefs",
      "securityfs", "configfs", "bpf", "hugetlbfs", "mqueue", "overlay", "none", "9p", "virtiofs",
      "autofs", "binfmt_misc",
    ]
  }

  /// The UUIDs of entries that go by UUID, by where they are mounted or `swap`.
  static func uuids(_ lines: [String]) -> [String: FileSystemUUID] {
    var found: [String: FileSystemUUID] = [:]
    for line in lines {
      guard let entry = Entry(line) else { continue }
      let text = entry.source.filter { $0 != "\"" }
      let prefix = "UUID="
      guard text.hasPrefix(prefix), found[entry.place] == nil else { continue }
      found[entry.place] = FileSystemUUID(String(text.dropFirst(prefix.count)))
    }
    return found
  }
}
