public import JSON
public import Resources

/// Builds images for an engine, which knows nothing of file trees.
public protocol ImageBuilder: Sendable {
  /// A digest of everything an image is built from: its specification and its source as it is now.
  ///
  /// Equal digests mean that building again would give the same bytes.
  func inputs(of image: Resource) async throws -> String

  /// Builds an image's disk and what is needed to boot it.
  ///
  /// - Parameters:
  ///   - image: the resource, kind `Image`.
  ///   - directory: an empty directory that the builder fills with the files named in the result;
  ///     all are synchronised when it returns.
  ///   - baseImage: for `source.image`, the directory of the image it is based on.
  func build(
    _ image: Resource, into directory: String, baseImage: String?,
    progress: @escaping @Sendable (ActProgress) -> Void
  ) async throws -> BuiltImage
}

/// What was built.
public struct BuiltImage: Sendable, Hashable {
  /// The disk's file name in the directory.
  public var disk: String
  /// `qcow2` or `raw`.
  public var format: String
  /// The size a guest sees, in bytes.
  public var virtualSize: Int64
  /// The kernel's file name, for direct boot.
  public var kernel: String?
  /// The initramfs's file name, for direct boot.
  public var initialRAMDisk: String?
  /// The kernel's command line, for direct boot.
  public var kernelArguments: String?
  /// `bios` and `uefi` where the disk boots by itself.
  public var firmware: [String]
  /// The conversion report.
  public var report: JSONValue

  /// Describes what was built.
  public init(
    disk: String, format: String, virtualSize: Int64, kernel: String? = nil,
    initialRAMDisk: String? = nil, kernelArguments: String? = nil, firmware: [String] = [],
    report: JSONValue = [:]
  ) {
    self.disk = disk
    self.format = format
    self.virtualSize = virtualSize
    self.kernel = kernel
    self.initialRAMDisk = initialRAMDisk
    self.kernelArguments = kernelArguments
    self.firmware = firmware
    self.report = report
  }
}
