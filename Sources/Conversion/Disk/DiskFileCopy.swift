internal import DiskImage
internal import SystemIO

/// Takes over a disk image from outside: its header is checked as the format it is said to be,
/// and what would lead a reader to other files is refused.
struct DiskFileCopy {
  let host: HostContext
  /// The environment that qemu-img runs in, as `NAME=value`.
  let environment: [String]
  let cancellation: Cancellation

  /// What was written.
  struct Result {
    var virtualSize: Int
    var fileSize: Int
    var digest: String
  }

  /// Copies or converts `source` into a new file at `path`.
  ///
  /// - Parameter size: of the guest's disk, in bytes; nil keeps the source's, less is refused.
  func run(
    _ source: String, _ format: DiskFormat, to path: String, as wanted: DiskFormat, size: Int?
  ) throws -> Result {
    let input = try Descriptor.open(source, .read)
    let facts = try inspect(input, format: format)
    try facts.requireSelfContained(file: source)
    if let size, size < facts.virtualSize {
      throw ConversionError(
        "the disk's size of \(size) bytes is \(facts.virtualSize - size) bytes less than that of "
          + source, help: "give a larger size or none")
    }
    let file = try PendingFile(replacing: path, permissions: 0o644)
    if format == wanted {
      try copy(input, to: file.descriptor)
    } else {
      // By descriptor, so that it is the file that was checked, whatever has the name by now.
      try runTool(
        ["convert", "-f", format.rawValue, "-O", wanted.rawValue]
          + (wanted == .qcow2 ? ["-c", "-o", "compression_type=zstd"] : [])
          + ["/proc/self/fd/3", file.temporaryPath], [(3, input)])
    }
    if let size, size > facts.virtualSize {
      try runTool(["resize", "-q", "-f", wanted.rawValue, file.temporaryPath, "\(size)"], [])
    }
    // The tool may have put another file in its place.
    let output = try Descriptor.open(file.temporaryPath, .readWrite)
    let written = try inspect(output, format: wanted)
    let digest = try Digest.ofFile(output)
    try output.synchronize()
    try file.commit()
    return Result(virtualSize: written.virtualSize, fileSize: written.fileSize, digest: digest)
  }

  /// Copies what holds data; holes stay holes.
  private func copy(_ input: Descriptor, to output: Descriptor) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    defer { buffer.deallocate() }
    let size = try input.size()
    try output.truncate(to: size)
    var position = 0
    while position < size, let data = try input.nextData(from: position) {
      position = data.lowerBound
      while position < data.upperBound {
        try cancellation.check()
        let room = min(buffer.count, data.upperBound - position)
        let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<room])
        let count = try input.read(into: part, at: position)
        if count == 0 {
          throw ConversionError(
            "\(input.name) became shorter while it was copied", help: "try again")
        }
        try output.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]), at: position)
        position += count
      }
    }
  }

  private func runTool(
    _ arguments: [String], _ descriptors: [(target: Int32, source: Descriptor)]
  ) throws {
    let path = environment.last { $0.hasPrefix("PATH=") }?.dropFirst(5) ?? ""
    guard let program = findExecutable("qemu-img", searchPath: String(path)) else {
      throw ConversionError(
        "qemu-img is not installed, and another format or size needs it",
        help: "apt-get install qemu-utils")
    }
    let messages = try makePipe(name: "qemu-img's messages")
    let pid = try SpawnRequest(
      program, arguments, environment: environment,
      descriptors: descriptors + [(2, messages.write)]
    ).spawn()
    let child = try ProcessHandle(childID: pid, bootID: host.bootID)
    // It says a few lines at most, far less than a pipe holds.
    let end = try child.wait()
    if end == .exited(0) { return }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)
    defer { buffer.deallocate() }
    // The writing end here is still open: with nothing said a read would wait for ever.
    try messages.write.write(Array(" ".utf8))
    let count = try messages.read.read(into: buffer)
    let text = String(decoding: buffer[..<count], as: UTF8.self)
    throw ConversionError(
      "qemu-img \(arguments[0]) failed: \(text.split(separator: "\n").joined(separator: "; "))",
      help: "check the image with qemu-img check")
  }
}
