public import DiskImage
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
  /// Ways the image must be able to boot; only `direct` is there yet.
  public var boot: [String] = ["direct"]
  /// Whether other file systems mounted inside the source are read too.
  public var crossesMounts = false
  /// The root file system's label: up to 16 bytes.
  public var label = "root"
  /// The host name in template mode.
  public var hostName = "localhost"
  /// Seconds since 1970 that no time stamp may exceed and that stand for "now"; nil means the
  /// newest time of change in the tree (reproducible-builds.org, SOURCE_DATE_EPOCH).
  public var sourceDateEpoch: Int64?
  /// Threads that read; nil means one a processor.
  public var readers: Int?
  /// Threads that compress; nil means one a processor.
  public var compressors: Int?
  /// Bytes of files that are held in memory for fix-ups at most.
  public var heldBytesLimit = 512 << 20
  /// The environment that mmdebstrap runs in, as `NAME=value`.
  public var environment: [String] = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]

  /// Makes options with the defaults.
  public init() {}
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
