internal import CLinux
internal import Glibc

extension Descriptor {
  /// An open file in memory that has no name: what a program reads, or writes, without a pipe that
  /// somebody must serve.
  public static func memory(
    _ bytes: [UInt8] = [], name: String
  ) throws(SystemError) -> Descriptor {
    let file = Descriptor(
      owning: try checked("make a file for", name) { clinux_memfd(name) }, name: name)
    try bytes.withUnsafeBufferPointer { buffer throws(SystemError) in
      var done = 0
      while done < buffer.count {
        let part = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: buffer[done...]))
        // At an offset, so that whoever gets the file reads from its start.
        done += try checked("write", name) {
          pwrite(file.raw, part.baseAddress, part.count, off_t(done))
        }
      }
    }
    return file
  }

  /// Reads a file from its start, wherever its position is.
  ///
  /// - Parameter limit: what is beyond is left out.
  public func contents(limit: Int) throws(SystemError) -> [UInt8] {
    let size = min(limit, try size())
    var bytes: [UInt8] = []
    bytes.reserveCapacity(size)
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { chunk.deallocate() }
    while bytes.count < size {
      let count = try read(into: chunk, at: bytes.count)
      if count == 0 { break }
      bytes += chunk[..<min(count, size - bytes.count)]
    }
    return bytes
  }
}
