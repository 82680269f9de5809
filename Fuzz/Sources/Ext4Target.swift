import Ext4Reader
import FileTree

/// A volume of 16 MiB that is zeros but for the KiB an input brings, each after its number.
///
/// Whole images would be zeros for the most part, and mutations of them too.
struct PackedVolume: VolumeSource {
  static let piece = 1024
  static let pieces = 16384
  private let input: [UInt8]
  /// Where in the input a KiB begins; -1 where it is zeros.
  private var places = [Int32](repeating: -1, count: PackedVolume.pieces)
  /// The number after that of the last KiB.
  private(set) var end = 0

  init(_ input: [UInt8]) {
    self.input = input
    for start in stride(from: 0, to: input.count - 1, by: Self.piece + 2) {
      let number = Int(input[start]) | Int(input[start + 1]) << 8
      places[number % Self.pieces] = Int32(start + 2)
      end = max(end, number % Self.pieces + 1)
    }
  }

  var size: Int { Self.piece * Self.pieces }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws {
    guard offset >= 0, buffer.count <= size - offset else { fail("a read beyond the end") }
    _ = buffer.initializeMemory(as: UInt8.self, repeating: 0)
    var done = 0
    while done < buffer.count {
      let (index, start) = (offset + done).quotientAndRemainder(dividingBy: Self.piece)
      let count = min(Self.piece - start, buffer.count - done)
      if places[index] >= 0 {
        let from = Int(places[index]) + start
        let end = min(from + count, input.count)
        if from < end {
          UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + end - from])
            .copyBytes(from: input[from..<end])
        }
      }
      done += count
    }
  }
}

/// Packs an image as `PackedVolume` unpacks it; without checksums, which no mutation would keep.
func packed(_ image: [UInt8]) -> [UInt8] {
  var packed: [UInt8] = []
  for number in 0..<min(image.count / PackedVolume.piece, PackedVolume.pieces) {
    let bytes = image[number * PackedVolume.piece..<(number + 1) * PackedVolume.piece]
    if bytes.contains(where: { $0 != 0 }) {
      packed += [UInt8(number & 255), UInt8(number >> 8)] + bytes
    }
  }
  return packed
}

/// Reads a volume whole; refusing it is as good.
func tryExt4(_ input: [UInt8]) -> CInt {
  var limits = Ext4ReadLimits()
  limits.names = 20_000
  limits.extents = 20_000
  do {
    let volume = try Ext4Volume(PackedVolume(input), limits: limits)
    let read = try volume.readTree()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)
    defer { buffer.deallocate() }
    for step in read.tree.walk() {
      guard case .regular(.reference(let number, let size)) = read.tree.kind(of: step.node),
        size <= 1 << 20
      else { continue }
      var count = 0
      try read.read(number, through: buffer) { count += $0.count }
      if count != Int(size) { fail("a file of \(size) bytes gave \(count)") }
    }
  } catch is Ext4ReadError {
    return 0
  } catch {
    fail("an error of another kind: \(error)")
  }
  return 0
}
