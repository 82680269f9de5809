internal import FileTree
internal import Resources
internal import SystemIO

/// What an image's source is now, as far as a digest needs it.
struct ImageInputs {
  let host: HostContext

  /// Adds the source's state to a digest.
  func add(_ specification: ImageSpecification, to digest: inout Digest) throws {
    switch specification.source {
    case .tree(let path): try addTree(path, specification, to: &digest)
    case .archive(let path), .file(let path, _): try addFile(path, to: &digest)
    // A bootstrap is its specification; another image is taken as it was at the time.
    case .bootstrap, .image: break
    }
  }

  private func addFile(_ path: String, to digest: inout Digest) throws {
    let status = try Descriptor.open(path, .read).status()
    digest.add(status.size)
    digest.add(status.inode)
    digest.add(status.modified.seconds)
    digest.add(status.modified.nanoseconds)
  }

  private func addTree(
    _ path: String, _ specification: ImageSpecification, to digest: inout Digest
  ) throws {
    var options = ConversionOptions()
    options.mode = specification.mode
    options.exclude = specification.exclude
    let scanner = try DirectoryScanner(path, options, cancellation: Cancellation())
    let scanned = try scanner.scan(
      threads: host.processors,
      policy: AttributePolicy(keepsBirth: specification.mode == .migrate, latest: nil))
    let identity = try DiskIdentity(scanned.tree, options, targets: [])
    digest.add("\(identity.disk)")
    digest.add(scanned.dropped.count)
  }
}
