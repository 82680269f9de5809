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

  /// The UUID of the root entry where it goes by UUID; that of an ext4 can be kept.
  static func rootUUID(_ lines: [String]) -> FileSystemUUID? {
    for line in lines {
      guard let entry = Entry(line), entry.isRoot else { continue }
      let text = entry.source.filter { $0 != "\"" }
      let prefix = "UUID="
      return text.hasPrefix(prefix) ? FileSystemUUID(String(text.dropFirst(prefix.count))) : nil
    }
    return nil
  }
}
