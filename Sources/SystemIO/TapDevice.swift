internal import CLinux

/// A network device whose other end is a program: what it writes arrives there as frames.
public enum TapDevice {
  /// Bytes before every frame read or written: the header of virtio-net (IFF_VNET_HDR), here in
  /// its first size, which a reader such as QEMU may set to 12.
  public static let headerSize = 10

  /// Makes a tap in the caller's network namespace; it is gone when its last descriptor is closed.
  ///
  /// One of the same name whose descriptor is closed is opened again; another's is busy (`EBUSY`).
  /// - Parameter name: 1 to 15 bytes.
  public static func open(_ name: String) throws(SystemError) -> Descriptor {
    let device = try Descriptor.open("/dev/net/tun", [.readWrite, .nonBlocking])
    let raw = device.raw
    try checked("make tap", name) { clinux_make_tap(raw, name) }
    return device
  }
}
