import Archive
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
  options.limits.bytes = 32 << 20
  options.heldBytesLimit = 1 << 24
  options.verifies = true
  let place = "/dev/shm/ingot-fuzz-\(getpid())"
  do {
    defer {
      unlink(place + ".tar")
      unlink(place + ".raw")
    }
    try Descriptor.open(place + ".tar", [.write, .create, .truncate]).write(input)
    _ = try ConversionRun(
      options: options, host: .live(), cancellation: Cancellation(), afterScan: {},
      afterWriting: { _ in },
      readFile: { (_, _, _) throws(SystemError) in 0 }, progress: { _ in }
    ).run(.archive(path: place + ".tar"), to: place + ".raw")
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
