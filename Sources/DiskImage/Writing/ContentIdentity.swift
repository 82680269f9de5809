internal import CZlib

/// Identifiers for formats that must have some, derived from the disk's content: the same content
/// gives the same ones in whatever order it came, and other content gives others by all likelihood.
///
/// For telling images apart only; it withstands nobody who wants to forge one.
struct ContentIdentity {
  private var high: UInt64 = 0
  private var low: UInt64 = 0

  /// Adds a cluster as it is stored.
  mutating func add(_ cluster: Int, _ bytes: UnsafeRawBufferPointer) {
    let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    let sum = UInt64(truncatingIfNeeded: crc32(0, start, UInt32(clamping: bytes.count)))
    let place = UInt64(truncatingIfNeeded: cluster)
    // Sums don't depend on the order.
    high &+= Self.mix(place &* 0x9e37_79b9_7f4a_7c15 ^ sum)
    low &+= Self.mix(sum << 32 ^ place &+ 0xd1b5_4a32_d192_ed03)
  }

  /// The identifier of a thing in the image; things of other numbers have others.
  func guid(_ thing: UInt64, virtualSize: Int) -> GUID {
    let size = UInt64(truncatingIfNeeded: virtualSize)
    return GUID(
      version8: Self.mix(high ^ Self.mix(size &+ thing)), Self.mix(low ^ Self.mix(size ^ ~thing)))
  }

  /// The finaliser of SplitMix64.
  private static func mix(_ value: UInt64) -> UInt64 {
    var mixed = value &+ 0x9e37_79b9_7f4a_7c15
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }
}
