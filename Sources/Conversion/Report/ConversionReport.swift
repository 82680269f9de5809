/// What a conversion did, in full: what went in, what did not, what was changed.
public struct ConversionReport: Hashable, Sendable {
  /// How many of each sort went in.
  public struct Counts: Hashable, Sendable {
    /// Directories, the root among them.
    public var directories = 0
    /// Regular files, each once.
    public var files = 0
    /// Names beyond the first of an inode.
    public var hardLinks = 0
    /// Symbolic links.
    public var symbolicLinks = 0
    /// Device nodes.
    public var devices = 0
    /// Named pipes and sockets.
    public var pipesAndSockets = 0
    /// Extended attributes, ACLs and capabilities among them.
    public var extendedAttributes = 0
    /// Bytes in regular files, holes counted.
    public var contentBytes = 0
  }

  /// Something about one path.
  public struct Item: Hashable, Sendable {
    /// The guest path without a leading slash, printable.
    public var path: String
    /// What happened and why.
    public var reason: String
  }

  /// A change made to the guest.
  public struct FixUp: Hashable, Sendable {
    /// The fix-up's name: `fstab`.
    public var name: String
    /// What it did, a sentence.
    public var change: String
  }

  /// A stretch of the work.
  public struct Phase: Hashable, Sendable {
    /// Its name: `scan`, `pack`.
    public var name: String
    /// How long it took.
    public var nanoseconds: UInt64
    /// Bytes that were read or written in it; nil where bytes don't tell.
    public var bytes: Int?

    /// Bytes a second; nil where bytes don't tell or no time was measured.
    public var bytesPerSecond: Int? {
      bytes.flatMap {
        nanoseconds == 0 ? nil : Int(Double($0) / (Double(nanoseconds) / 1e9))
      }
    }
  }

  /// A partition of the disk.
  public struct Partition: Hashable, Sendable {
    /// Where it is mounted, or `swap`.
    public var target: String
    /// The UUID of its file system or swap space.
    public var uuid: String
    /// Its own identity: PARTUUID.
    public var partitionUUID: String
    /// In bytes.
    public var size: Int
    /// Bytes free in its file system.
    public var freeSize: Int
  }

  /// The kernel found in the tree.
  public struct Kernel: Hashable, Sendable {
    /// Its version, from the file itself.
    public var version: String
    /// Its path in the guest.
    public var path: String
    /// Its initramfs's path in the guest.
    public var initialRAMDisk: String?
    /// The command line for direct boot.
    public var arguments: String
  }

  /// The image that was written.
  public struct Image: Hashable, Sendable {
    /// The format's name: `qcow2`.
    public var format = ""
    /// The guest's disk in bytes.
    public var virtualSize = 0
    /// The file in bytes.
    public var fileSize = 0
    /// The file's SHA-256 in hexadecimal.
    public var digest = ""
    /// The disk's GUID.
    public var diskGUID = ""
    /// Whether it was read back and found to be what was meant to be written.
    public var isVerified = false
    /// Its partitions in order, the root last.
    public var partitions: [Partition] = []

    /// The root file system's UUID.
    public var rootUUID: String { partitions.last?.uuid ?? "" }
    /// The root partition's PARTUUID.
    public var partitionUUID: String { partitions.last?.partitionUUID ?? "" }
    /// Bytes free in the root file system.
    public var freeSize: Int { partitions.last?.freeSize ?? 0 }
  }

  /// The source, as text.
  public var source = ""
  /// `template` or `migrate`.
  public var mode = ""
  /// What went in.
  public var counts = Counts()
  /// What should have gone in and did not; decides the exit code.
  public var dropped: [Item] = []
  /// What went in otherwise than it stood in the source; decides the exit code.
  public var changed: [Item] = []
  /// What was left out as asked or by habit.
  public var excluded: [Item] = []
  /// What is worth knowing, a sentence each.
  public var warnings: [String] = []
  /// Changes made on purpose.
  public var fixUps: [FixUp] = []
  /// The kernel for direct boot.
  public var kernel: Kernel?
  /// The image.
  public var image = Image()
  /// How long it took, in order.
  public var phases: [Phase] = []

  /// Makes an empty report.
  public init() {}

  /// 0, or 6 where something was dropped or altered against the will of who asked.
  public var exitCode: Int32 { dropped.isEmpty && changed.isEmpty ? 0 : 6 }

  /// The whole time in nanoseconds.
  public var nanoseconds: UInt64 { phases.reduce(0) { $0 + $1.nanoseconds } }

  /// Content bytes a second over the whole; 0 where no time was measured.
  public var bytesPerSecond: Int {
    let time = nanoseconds
    return time == 0 ? 0 : Int(Double(counts.contentBytes) / (Double(time) / 1e9))
  }
}
