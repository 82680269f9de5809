/// The footer of a Virtual Hard Disk (Microsoft, Virtual Hard Disk Image Format Specification 1.0).
struct VHDFooter {
  static let size = 512
  static let cookie = "conectix"

  enum Kind: UInt32 {
    case fixed = 2
    case dynamic = 3
    case differencing = 4
  }

  let kind: Kind
  let virtualSize: Int
  let identifier: GUID

  /// The 512 bytes.
  ///
  /// The time is 2000-01-01, so that the same disk gives the same bytes.
  var bytes: [UInt8] {
    var footer = ByteBuilder()
    footer.append(Array(Self.cookie.utf8))
    footer.big(UInt32(2))  // features: the reserved bit that is always set
    footer.big(UInt32(0x0001_0000))
    footer.big(kind == .fixed ? UInt64.max : UInt64(Self.size))
    footer.big(UInt32(0))  // time
    // Readers take the size from the geometry unless they know the maker for one who doesn't.
    footer.append(Array("win ".utf8))
    footer.big(UInt32(0x000a_0000))
    footer.append(Array("Wi2k".utf8))
    footer.big(UInt64(virtualSize))
    footer.big(UInt64(virtualSize))
    let geometry = Self.geometry(sectors: virtualSize / 512)
    footer.big(UInt16(geometry.cylinders))
    footer.big(UInt8(geometry.heads))
    footer.big(UInt8(geometry.sectors))
    footer.big(kind.rawValue)
    let before = footer.bytes
    func whole(checksum: UInt32) -> [UInt8] {
      var footer = ByteBuilder()
      footer.append(before)
      footer.big(checksum)
      footer.append(identifier.bytes)
      footer.pad(to: Self.size)
      return footer.bytes
    }
    return whole(checksum: Self.checksum(whole(checksum: 0)))
  }

  /// The ones' complement of the sum of all bytes, the checksum's own counted as zeros.
  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(UInt32(0)) { $0 &+ UInt32($1) }
  }

  /// The specification's "CHS calculation".
  private static func geometry(sectors: Int) -> (cylinders: Int, heads: Int, sectors: Int) {
    let total = min(sectors, 65535 * 16 * 255)
    if total >= 65535 * 16 * 63 { return (total / 255 / 16, 16, 255) }
    var perTrack = 17
    var tracks = total / perTrack
    var heads = max(4, (tracks + 1023) / 1024)
    if tracks >= heads * 1024 || heads > 16 {
      (perTrack, heads) = (31, 16)
      tracks = total / perTrack
    }
    if tracks >= heads * 1024 {
      (perTrack, heads) = (63, 16)
      tracks = total / perTrack
    }
    return (tracks / heads, heads, perTrack)
  }
}

/// The header of a dynamic Virtual Hard Disk, which stands after the footer's copy.
struct VHDDynamicHeader {
  static let size = 1024
  static let cookie = "cxsparse"

  let tableOffset: Int
  let tableCount: Int
  let blockSize: Int

  var bytes: [UInt8] {
    func whole(checksum: UInt32) -> [UInt8] {
      var header = ByteBuilder()
      header.append(Array(Self.cookie.utf8))
      header.big(UInt64.max)
      header.big(UInt64(tableOffset))
      header.big(UInt32(0x0001_0000))
      header.big(UInt32(tableCount))
      header.big(UInt32(blockSize))
      header.big(checksum)
      header.pad(to: Self.size)
      return header.bytes
    }
    return whole(checksum: VHDFooter.checksum(whole(checksum: 0)))
  }
}
