import Archive
import DiskImage
import Ext4
import FileTree
import Glibc
import SystemIO

@testable import Conversion

/// Converts an archive as the command line does, and reads back what was written.
///
/// An archive may be refused; what is accepted must come out as it went in.
func tryArchive(_ input: [UInt8]) -> CInt {
  var options = ConversionOptions()
  options.format = .raw
  options.mode = .migrate
  options.threads = 1
  options.size = 24 << 20
  options.limits.bytes = 32 << 20
  options.heldBytesLimit = 1 << 24
  options.verifies = true
  let place = "/dev/shm/ingot-fuzz-\(getpid())"
  do {
    defer {
      unlink(place + ".tar")
      unlink(place + ".raw")
    }
    let archive = try Descriptor.open(place + ".tar", [.readWrite, .create, .truncate])
    let image = try Descriptor.open(place + ".raw", [.readWrite, .create, .truncate])
    try archive.write(input)
    lseek(archive.raw, 0, SEEK_SET)
    try convert(archive, options, to: image)
  } catch is ArchiveError {
    return 0
  } catch is ConversionError {
    return 0
  } catch is Ext4Error {
    return 0
  } catch is FileTreeError {
    return 0
  } catch {
    fail("\(type(of: error)): \(error)")
  }
  return 0
}

/// What `ConversionRun` does, but for the digest of the whole image, which would take all the time.
private func convert(
  _ archive: Descriptor, _ options: ConversionOptions, to image: Descriptor
) throws {
  let cancellation = Cancellation()
  let disk = try GuestDisk(image, options, [], threads: 1)
  let unpacked = try ArchiveUnpacking(
    archive, to: disk, policy: AttributePolicy(keepsBirth: true, latest: nil), options,
    meter: Meter(cancellation, uptime: { 0 }, rate: nil, report: { _ in })
  ).run()
  let identity = try DiskIdentity(unpacked.tree, options, targets: ["/"], keeping: [:])
  var guest = Guest(
    tree: unpacked.tree, mode: options.mode,
    partitions: [Guest.Partition(target: "/", uuid: "\(identity.fileSystem("/"))")],
    hostName: options.hostName, holdsMounts: false, time: FileTime(seconds: 1))
  for fix in allFixUps { try fix(&guest) }
  var search = KernelSearch(guest.tree)
  _ = search.run()
  _ = try disk.finish(guest.tree, identity, creationTime: 1)
  guard let table = disk.table else { fail("there is no partition table") }
  try ImageVerification(
    try DiskReader(image, format: .raw), threads: 1, cancellation: cancellation
  ).run(table, disk.written)
}
