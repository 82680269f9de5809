internal import Crypto
internal import DiskImage
internal import EngineInterface
internal import GRDB
internal import Glibc
internal import JSON
internal import Resources
internal import SystemIO

extension EmbeddedEngine {
  /// The image that a resource shows now.
  ///
  /// - Throws: `EngineError` where there is none or it has not been built.
  func currentImage(_ db: Database, _ name: String) throws -> StoredImage {
    let row = try StoredResource.require(db, ResourceID(.image, name))
    guard let digest = row.details["digest"]?.string else {
      throw EngineError(
        "incomplete", "\(row.id) has not been built: \(row.reason ?? "no reason is known")",
        help: "apply its manifest again")
    }
    guard let image = try StoredImage.find(db, digest) else {
      throw corruptRow("images", "\(row.id) shows the digest \(digest), which is missing")
    }
    return image
  }

  /// The directory of the image that another is made from.
  func baseImageDirectory(of image: Resource) throws -> String? {
    guard case .image(let name) = try ImageSpecification(image.spec).source else { return nil }
    return home.image(try store.read { db in try currentImage(db, name) }.digest)
  }

  /// Gives what was built its digest, makes it read only and moves it to its place.
  func seal(
    _ built: BuiltImage, of change: Change, intent: Int64, _ directory: String
  ) throws {
    guard let format = DiskFormat(rawValue: built.format), format.runsGuests,
      built.virtualSize > 0
    else {
      throw EngineError(
        "failed", "the builder of \(change.id) gave a disk of format '\(built.format)'")
    }
    let files = [built.disk, built.kernel, built.initialRAMDisk]
    for file in files.compactMap({ $0 }) where file.isEmpty || file.contains("/") {
      throw EngineError("failed", "the builder of \(change.id) gave the file name '\(file)'")
    }
    let (digest, diskDigest) = try digests(of: built, in: directory)
    for file in try namesInDirectory(directory) {
      try lastingStep("restrict \(file)") { () throws(SystemError) in
        try checked("restrict", file) { chmod(directory + "/" + file, 0o400) }
      }
    }
    try synchronizeDirectory(directory)
    let image = StoredImage(
      digest: digest, diskDigest: diskDigest, created: host.now().seconds, built: built,
      format: format)
    // Row first, and named by the journal, so that neither row nor directory is ever taken for
    // one that nothing refers to.
    try store.write { db in
      try image.insert(db)
      try Intent.setData(db, intent, ["digest": .string(digest)])
    }
    let place = home.image(digest)
    if fileExists(place) {
      // The same image of another resource; or what is left of this one, after files were lost.
      if try namesInDirectory(directory).allSatisfy({ fileExists("\(place)/\($0)") }) {
        return try removeTree(directory)
      }
      try removeTree(place)
    }
    try renameFile(directory, to: place)
    try synchronizeDirectory(home.images)
  }

  /// The digest that an act under way has sealed.
  func sealedDigest(_ db: Database, of id: ResourceID) throws -> String? {
    try Intent.find(db, id)?.data["digest"]?.string
  }

  /// SHA-256 over all that makes a guest boot the same way, and of the disk's file alone.
  private func digests(
    of built: BuiltImage, in directory: String
  ) throws -> (all: String, disk: String) {
    var all = SHA256()
    var disk = ""
    let files = [("disk", built.disk), ("kernel", built.kernel), ("initrd", built.initialRAMDisk)]
    for (role, name) in files {
      guard let name else { continue }
      var one = SHA256()
      try hash(directory + "/" + name, into: &one)
      let text = hexadecimal(one.finalize())
      if role == "disk" { disk = text }
      all.update(data: Array("\(role) \(name) \(text)\n".utf8))
    }
    let rest = [
      "format \(built.format)", "size \(built.virtualSize)",
      "arguments \(built.kernelArguments ?? "")",
      "firmware \(built.firmware.joined(separator: ","))",
    ]
    all.update(data: Array(rest.joined(separator: "\n").utf8))
    return (hexadecimal(all.finalize()), disk)
  }

  private func hash(_ path: String, into hash: inout SHA256) throws {
    let file = try Descriptor.open(path, .read)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let count = try file.read(into: buffer)
      if count == 0 { return }
      hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }

  /// Removes images that no resource shows and no disk is a clone of.
  ///
  /// Inside the transaction, so that nobody refers to one while its files go; where it is cut
  /// short the row stays and the next time finishes.
  func collectImages() throws {
    let unused = try store.read(StoredImage.unused)
    guard !unused.isEmpty else { return }
    try store.write { [self] db in
      for digest in try StoredImage.unused(db) {
        try removeTree(home.image(digest))
        try StoredImage.delete(db, digest)
      }
    }
  }
}
