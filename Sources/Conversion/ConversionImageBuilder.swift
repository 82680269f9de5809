internal import DiskImage
public import EngineInterface
internal import JSON
public import Resources
public import SystemIO

/// Builds images with the converter, from every source an `Image` can name.
///
/// A directory built into holds `disk.qcow2` or `disk.raw`, `vmlinuz` and `initrd` where the tree
/// has a kernel, `image.json` with the facts of the build, and nothing else.
public struct ConversionImageBuilder: ImageBuilder {
  private let host: HostContext
  private let environment: [String]

  /// Makes a builder.
  ///
  /// - Parameter environment: of the tools that are run, as `NAME=value`: `PATH`, and proxies
  ///   where a bootstrap needs them.
  public init(
    host: HostContext, environment: [String] = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
  ) {
    self.host = host
    self.environment = environment
  }

  /// A digest of the specification and of what the source is now.
  ///
  /// Files count by size, time of change and inode, trees by all their metadata, and a bootstrap
  /// by its specification alone: what mirrors hold is not asked.
  public func inputs(of image: Resource) async throws -> String {
    let specification = try ImageSpecification(image.spec)
    let host = host
    return try await onOwnThread {
      var digest = Digest()
      digest.add(converterVersion)
      digest.add(image.contentSpecification.text(sortedNames: true))
      try ImageInputs(host: host).add(specification, to: &digest)
      return digest.text()
    }
  }

  /// Builds the image's disk, kernel and initramfs.
  public func build(
    _ image: Resource, into directory: String, baseImage: String?,
    progress: @escaping @Sendable (ActProgress) -> Void
  ) async throws -> BuiltImage {
    let specification = try ImageSpecification(image.spec)
    guard let format = DiskFormat(rawValue: specification.format) else {
      throw ConversionError(
        "the image format '\(specification.format)' is unknown", help: "use qcow2 or raw")
    }
    var options = ConversionOptions()
    options.mode = specification.mode
    options.format = format
    options.exclude = specification.exclude
    options.boot = specification.boot
    options.environment = environment
    if let size = specification.size {
      guard let size = Int(exactly: size) else {
        throw ConversionError("the size of \(size) bytes is too large")
      }
      options.size = size
    }
    switch specification.source {
    case .tree(let path):
      return try await convert(.directory(path: path), options, directory, progress)
    case .archive(let path):
      return try await convert(.archive(path: path), options, directory, progress)
    case .bootstrap(let bootstrap):
      return try await convert(.bootstrap(bootstrap), options, directory, progress)
    case .file(let path, let format):
      return try await copy(path, format, options, directory, progress)
    case .image(let name):
      guard let baseImage else {
        throw ConversionError("the image '\(name)' is not there", help: "build it first")
      }
      return try await derive(from: baseImage, options, directory, progress)
    }
  }

  private func convert(
    _ source: ConversionSource, _ options: ConversionOptions, _ directory: String,
    _ progress: @escaping @Sendable (ActProgress) -> Void
  ) async throws -> BuiltImage {
    let name = "disk.\(options.format.rawValue)"
    let result = try await Converter(options, host: host).convert(
      source, to: "\(directory)/\(name)", progress: progress)
    return try await onOwnThread {
      let report = result.report
      var built = BuiltImage(
        disk: name, format: report.image.format, virtualSize: Int64(report.image.virtualSize),
        report: report.json)
      if let boot = result.bootFiles {
        try replaceFile("\(directory)/vmlinuz", with: boot.kernel, permissions: 0o644)
        built.kernel = "vmlinuz"
        built.kernelArguments = boot.arguments
        if let bytes = boot.initialRAMDisk {
          try replaceFile("\(directory)/initrd", with: bytes, permissions: 0o644)
          built.initialRAMDisk = "initrd"
        }
      }
      try BuiltImageFile.write(built, to: directory)
      return built
    }
  }

  private func copy(
    _ path: String, _ sourceFormat: String, _ options: ConversionOptions, _ directory: String,
    _ progress: @escaping @Sendable (ActProgress) -> Void
  ) async throws -> BuiltImage {
    guard let sourceFormat = DiskFormat(rawValue: sourceFormat) else {
      throw ConversionError(
        "the format '\(sourceFormat)' of \(path) is unknown",
        help: "use raw, qcow2, vmdk, vhd or vhdx")
    }
    progress(ActProgress(phase: "copying"))
    let name = "disk.\(options.format.rawValue)"
    var converter = DiskImageConverter(from: sourceFormat, to: options.format, host: host)
    converter.size = options.size
    let result = try await converter.convert(path, to: "\(directory)/\(name)", progress: progress)
    return try await onOwnThread {
      let report: JSONValue = [
        "source": .string(path), "sha256": .string(result.digest),
        "virtualSize": .integer(Int64(result.virtualSize)),
        "fileSize": .integer(Int64(result.fileSize)),
        "firmware": .array(result.firmware.map { .string($0) }),
      ]
      let built = BuiltImage(
        disk: name, format: options.format.rawValue, virtualSize: Int64(result.virtualSize),
        firmware: result.firmware, report: report)
      try BuiltImageFile.write(built, to: directory)
      return built
    }
  }

  /// Takes another image over, in another format or larger.
  private func derive(
    from base: String, _ options: ConversionOptions, _ directory: String,
    _ progress: @escaping @Sendable (ActProgress) -> Void
  ) async throws -> BuiltImage {
    let original = try await onOwnThread { try BuiltImageFile.read(from: base) }
    var built = try await copy(
      "\(base)/\(original.disk)", original.format, options, directory, progress)
    built.kernel = original.kernel
    built.initialRAMDisk = original.initialRAMDisk
    built.kernelArguments = original.kernelArguments
    built.firmware = original.firmware
    let result = built
    return try await onOwnThread {
      for name in [result.kernel, result.initialRAMDisk].compactMap({ $0 }) {
        let bytes = try readFile("\(base)/\(name)", limit: options.heldBytesLimit)
        try replaceFile("\(directory)/\(name)", with: bytes, permissions: 0o644)
      }
      try BuiltImageFile.write(result, to: directory)
      return result
    }
  }
}

extension Resource {
  /// What of an image's specification its content depends on: what protects it stands as if nothing
  /// did.
  fileprivate var contentSpecification: JSONValue {
    var spec = spec
    if spec["lifecycle"] != nil {
      spec["lifecycle"] = Schema.table(for: .image).field(at: "lifecycle")?.filledDefault
    }
    return spec
  }
}
