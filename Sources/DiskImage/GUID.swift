/// A 128-bit identifier as partition tables hold it.
public struct GUID: Hashable, Sendable, CustomStringConvertible {
  /// The 16 bytes in the order of the text form (RFC 9562).
  public let bytes: [UInt8]

  /// Makes an identifier of 16 bytes in the order of the text form; nil for another count.
  public init?(bytes: [UInt8]) {
    guard bytes.count == 16 else { return nil }
    self.bytes = bytes
  }

  /// Reads the text form, `0FC63DAF-8483-4772-8E79-3D69D8477DE4` in either case.
  public init?(_ text: String) {
    let groups = text.split(separator: "-", omittingEmptySubsequences: false)
    guard groups.map(\.utf8.count) == [8, 4, 4, 4, 12] else { return nil }
    let digits = groups.joined().compactMap(\.hexDigitValue)
    guard digits.count == 32 else { return nil }
    bytes = stride(from: 0, to: 32, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }

  /// The text form in lower case.
  public var description: String {
    var text = ""
    for (index, byte) in bytes.enumerated() {
      if [4, 6, 8, 10].contains(index) { text += "-" }
      text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
    return text
  }

  /// The form on disk: the first three groups little-endian (UEFI 2.10, appendix A).
  var diskBytes: [UInt8] {
    [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map { bytes[$0] }
  }

  /// Reads the form on disk; nil for another count than 16.
  init?(diskBytes: [UInt8]) {
    guard diskBytes.count == 16 else { return nil }
    bytes = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map { diskBytes[$0] }
  }

  /// An identifier made by the application's own rule (RFC 9562, version 8).
  init(version8 high: UInt64, _ low: UInt64) {
    self.init(high & ~0xf000 | 0x8000, low & ~(3 << 62) | 1 << 63)
  }

  init(_ high: UInt64, _ low: UInt64) {
    var builder = ByteBuilder()
    builder.big(high)
    builder.big(low)
    bytes = builder.bytes
  }
}

/// What a partition is for.
extension GUID {
  /// A root file system for x86-64 (Discoverable Partitions Specification).
  public static let linuxRootX86 = GUID(0x4f68_bce3_e8cd_4db1, 0x96e7_fbca_f984_b709)
  /// A root file system for 64-bit ARM (Discoverable Partitions Specification).
  public static let linuxRootARM64 = GUID(0xb921_b045_1df0_41c3, 0xaf44_4c6f_280d_3fae)
  /// Linux file-system data.
  public static let linuxFilesystem = GUID(0x0fc6_3daf_8483_4772, 0x8e79_3d69_d847_7de4)
  /// Linux swap space.
  public static let linuxSwap = GUID(0x0657_fd6d_a4ab_43c4, 0x84e5_0933_c84b_4f4f)
  /// The EFI system partition.
  public static let efiSystem = GUID(0xc12a_7328_f81f_11d2, 0xba4b_00a0_c93e_c93b)
  /// Where GRUB keeps its core image on a BIOS machine.
  public static let biosBoot = GUID(0x2168_6148_6449_6e6f, 0x744e_6565_6445_4649)
}
