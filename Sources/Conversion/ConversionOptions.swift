public import DiskImage
public import Ext4
public import Resources

/// What a conversion reads.
public enum ConversionSource: Hashable, Sendable {
  /// A directory that holds a machine's root.
  case directory(path: String)
  /// A tar archive of a machine's root, compressed in any way; `-` is standard input.
  case archive(path: String)
  /// A distribution that mmdebstrap fetches and unpacks.
  case bootstrap(ImageSpecification.Bootstrap)
}

/// What becomes of other file systems that are mounted inside a source directory.
///
/// What the kernel makes up or keeps in memory (`/proc`, `/dev`, a tmpfs) is always left out.
public enum MountPolicy: Hashable, Sendable {
  /// They stay behind and count as dropped, so that nobody misses them unawares.
  case drop
  /// They stay behind as asked.
  case leaveOut
  /// They are read.
  case read
}

/// A partition beside the root's.
public struct PartitionRequest: Hashable, Sendable {
  /// Where its file system is mounted, such as `/boot`, or `swap`.
  public var target: String
  /// In bytes, a multiple of 1 MiB; nil means what the source's content there needs, which only a
  /// directory tells before it is read.
  public var size: Int?

  /// Asks for a partition.
  public init(_ target: String, size: Int? = nil) {
    self.target = target
    self.size = size
  }
}

/// How much an archive may hold before it is refused; nil means what no machine comes near.
public struct ConversionLimits: Hashable, Sendable {
  /// Entries.
  public var entries: Int?
  /// Bytes of all files together.
  public var bytes: Int?
  /// Bytes out for each byte of a compressed archive, once a GiB came out.
  public var ratio: Int?

  /// Makes limits that are the defaults.
  public init() {}
}

/// All that decides a converted image beside its source.
public struct ConversionOptions: Hashable, Sendable {
  /// Whether the machine's identity is kept.
  public var mode = ImageSpecification.Mode.template
  /// The image's format.
  public var format = DiskFormat.qcow2
  /// How a qcow2 image is compressed.
  public var compression = DiskCompression.fast
  /// The disk's size in bytes; nil means what is needed, a tenth more and 64 MiB.
  public var size: Int?
  /// Patterns of what is left out, as gitignore(5) writes them.
  public var exclude: [String] = []
  /// Patterns of what `exclude` is not to leave out; as `!` before a pattern, after all others.
  public var include: [String] = []
  /// Ways the image must be able to boot; only `direct` is there yet.
  public var boot: [String] = ["direct"]
  /// What becomes of other file systems mounted inside the source.
  public var mounts = MountPolicy.drop
  /// Partitions that stand before the root's; what is mounted there in the source is read.
  public var partitions: [PartitionRequest] = []
  /// Which features of ext4 its file systems have.
  public var ext4 = Ext4Profile.standard
  /// The root file system's label: up to 16 bytes.
  public var label = "root"
  /// The host name in template mode.
  public var hostName = "localhost"
  /// Seconds since 1970 that no time stamp may exceed and that stand for "now" (SOURCE_DATE_EPOCH
  /// of reproducible-builds.org).
  ///
  /// Nil means the newest time of change in the tree. Where it is given, birth times are not kept,
  /// so that a tree and its archive give the same bytes.
  public var sourceDateEpoch: Int64?
  /// Threads that read, and as many again that compress: 1 to 256; nil means one a processor.
  public var threads: Int?
  /// Bytes a second that are read from the source at most; nil means as fast as it goes.
  public var rateLimit: Int?
  /// How much an archive may hold.
  public var limits = ConversionLimits()
  /// Whether the finished image is read back and compared with what was meant to be in it.
  public var verifies = false
  /// The path of a list of all that went into the image, with a SHA-256 a file, in the form of
  /// mtree(5); nil for none.
  public var manifest: String?
  /// Bytes of files that are held in memory for fix-ups at most.
  public var heldBytesLimit = 512 << 20
  /// The environment that mmdebstrap runs in, as `NAME=value`.
  public var environment: [String] = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]

  /// Makes options with the defaults.
  public init() {}
}

extension ConversionOptions {
  /// Whether contents are digested while they are packed.
  var needsDigests: Bool { verifies || manifest != nil }
}

/// What a finished conversion left beside the disk.
public struct BootFiles: Hashable, Sendable {
  /// The kernel's bytes as they stand in the tree.
  public var kernel: [UInt8]
  /// The initramfs's bytes; nil where the kernel has none.
  public var initialRAMDisk: [UInt8]?
  /// The kernel's command line.
  public var arguments: String
}

/// A conversion's result.
public struct Conversion: Sendable {
  /// What was done.
  public var report: ConversionReport
  /// What boots it directly; nil where the tree has no kernel.
  public var bootFiles: BootFiles?
}
