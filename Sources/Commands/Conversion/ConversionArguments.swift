internal import ArgumentParser
internal import Conversion
internal import DiskImage
internal import Ext4
internal import Resources

/// Which part of a source is read, and how.
struct SourceArguments: ParsableArguments {
  /// What becomes of other file systems that are mounted in the source.
  enum Mounts: EnumerableFlag {
    case oneFileSystem
    case allFileSystems

    static func help(for value: Mounts) -> ArgumentHelp? {
      switch value {
      case .oneFileSystem: "Leave other file systems that are mounted in the source out."
      case .allFileSystems: "Read what is mounted in the source too, but what the kernel makes up."
      }
    }
  }

  @Option(help: "Leave out what matches, as gitignore writes it; may be repeated.")
  var exclude: [String] = []
  @Option(help: "Keep what matches whatever --exclude says; may be repeated.")
  var include: [String] = []
  @Flag var mounts: Mounts?
  @Option(
    help: "Read at most so many bytes a second, such as 50Mi.", transform: ConversionInput.bytes)
  var limitRate: Int?
  @Option(help: "Threads that read, and as many that compress; by default one a processor.")
  var threads: Int?
  @Option(help: "Refuse an archive of more entries than this.")
  var maxEntries: Int?
  @Option(
    help: "Refuse an archive of files larger than this together.", transform: ConversionInput.bytes)
  var maxBytes: Int?
  @Option(help: "Refuse an archive that unpacks to more than so many times its size.")
  var maxRatio: Int?

  /// Sets what was given.
  func apply(to options: inout ConversionOptions) {
    options.exclude = exclude
    options.include = include
    switch mounts {
    case .oneFileSystem: options.mounts = .leaveOut
    case .allFileSystems: options.mounts = .read
    case nil: options.mounts = .drop
    }
    options.rateLimit = limitRate
    options.threads = threads
    options.limits.entries = maxEntries
    options.limits.bytes = maxBytes
    options.limits.ratio = maxRatio
  }
}

/// What the image is to be like.
struct ImageArguments: ParsableArguments {
  /// How a qcow2 image is compressed.
  enum Compression: String, ExpressibleByArgument, CaseIterable {
    case zstd, zlib, none

    /// What the writer is told.
    var value: DiskCompression {
      switch self {
      case .zstd: .fast
      case .zlib: .zlib(level: 6)
      case .none: .none
      }
    }
  }

  /// What becomes of the machine's identity.
  enum Mode: String, ExpressibleByArgument, CaseIterable {
    case migrate, template
  }

  @Option(
    help: """
      The container the disk is kept in: \(ConversionInput.formats.joined(separator: ", ")); qcow2 \
      by default.
      """,
    completion: .list(ConversionInput.formats), transform: ConversionInput.format)
  var format = DiskFormat.qcow2
  @Option(help: "How a qcow2 image is compressed; zlib is read by every QEMU.")
  var compression = Compression.zstd
  @Option(
    help: "The disk's size, such as 8Gi; by default what is needed and some room.",
    transform: ConversionInput.bytes)
  var size: Int?
  @Option(
    help: ArgumentHelp(
      """
      A partition of its own, such as /boot=512Mi, /home=20Gi or swap=1Gi; may be repeated. \
      The size may be left out for a directory.
      """, valueName: "path=size"), transform: ConversionInput.partition)
  var partition: [PartitionRequest] = []
  @Option(
    help: ArgumentHelp(
      """
      Features of ext4: standard, for kernels from 3.18 and GRUB from 2.02, or classic, for those \
      from 2.6.28 and 1.97.
      """, valueName: "profile"),
    completion: .list(ConversionInput.profiles), transform: ConversionInput.profile)
  var ext4 = Ext4Profile.standard
  @Option(
    help: "migrate keeps who the machine is; template gives each copy an identity of its own.")
  var mode = Mode.migrate

  /// Sets what was given.
  func apply(to options: inout ConversionOptions) {
    options.format = format
    options.compression = compression.value
    options.size = size
    options.partitions = partition
    options.ext4 = ext4
    options.mode = mode == .migrate ? .migrate : .template
  }
}

extension ConversionInput {
  /// The names of the formats that can be written.
  static let formats = DiskFormat.allCases.map(\.rawValue)

  /// A disk's format by its name.
  static func format(_ text: String) throws -> DiskFormat {
    if let format = DiskFormat(rawValue: text) { return format }
    throw ValidationError("'\(text)' is none of \(formats.joined(separator: ", "))")
  }

  /// The names of ext4's profiles.
  static let profiles = Ext4Profile.allCases.map(\.rawValue)

  /// A profile of ext4 by its name.
  static func profile(_ text: String) throws -> Ext4Profile {
    if let profile = Ext4Profile(rawValue: text) { return profile }
    throw ValidationError("'\(text)' is none of \(profiles.joined(separator: ", "))")
  }

  /// An amount of bytes: `8Gi`.
  static func bytes(_ text: String) throws -> Int {
    do {
      return Int(try Quantity.bytes(text))
    } catch {
      throw ValidationError("\(error)\(error.help.map { "; \($0)" } ?? "")")
    }
  }

  /// A partition and its size: `/boot=512Mi`.
  static func partition(_ text: String) throws -> PartitionRequest {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    return PartitionRequest(
      String(parts[0]), size: parts.count == 2 ? try bytes(String(parts[1])) : nil)
  }
}
