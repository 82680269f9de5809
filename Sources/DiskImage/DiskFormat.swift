/// The container a guest's disk is kept in.
public enum DiskFormat: String, Hashable, Sendable, CaseIterable {
  /// The disk's bytes as they are; what was never written is a hole.
  case raw
  /// QEMU's copy-on-write format, version 3 (docs/interop/qcow2.txt).
  case qcow2
  /// VMware's format: written streamOptimized, read streamOptimized or monolithicSparse
  /// (VMware, Virtual Disk Format 5.0).
  case vmdk
  /// Microsoft's Virtual Hard Disk 1.0: written dynamic, read dynamic or fixed.
  case vhd
  /// A Virtual Hard Disk of the fixed kind, which Azure takes: the bytes and a footer.
  case vhdFixed = "vhd-fixed"
  /// Microsoft's newer format (MS-VHDX), dynamic.
  case vhdx
  /// An Open Virtual Appliance: a tar of a description, a VMDK and their digests.
  ///
  /// It is packed around a finished VMDK; `DiskWriter` and `DiskReader` refuse it.
  case ova

  /// Whether guests run from it; the others are for taking disks from place to place.
  public var runsGuests: Bool { self == .raw || self == .qcow2 }

  /// The largest disk it holds, in bytes.
  var largestDisk: Int {
    switch self {
    // What QEMU's limit of 32 MiB on the level-1 table reaches at our cluster size.
    case .raw, .qcow2: (32 << 20) / 8 * (clusterSize / 8) * clusterSize
    case .vmdk, .ova: 62 << 40
    case .vhd: 2040 << 30
    case .vhdFixed: 2040 << 30
    case .vhdx: 64 << 40
    }
  }
}

/// How the clusters of a qcow2 image are compressed.
///
/// A VMDK is always deflated, at the level of `zlib` where that is chosen; the other formats never.
public enum DiskCompression: Hashable, Sendable {
  /// Clusters are stored as they are.
  case none
  /// Deflate: read by every QEMU. Level 1 to 9.
  case zlib(level: Int)
  /// Zstandard: read by QEMU 5.1 and later. Level 1 to 19.
  case zstd(level: Int)

  /// Zstandard at the level where speed per byte saved is best on file systems' data.
  public static let fast = DiskCompression.zstd(level: 1)
}

/// The unit in which disks are assembled, compressed and mapped, in bytes.
let clusterSize = 1 << clusterBits
let clusterBits = 16

/// The largest disk of any format, in bytes.
let largestDisk = DiskFormat.raw.largestDisk

/// `value` rounded up to a multiple of `unit`; both far below the integer's limit.
func roundUp(_ value: Int, to unit: Int) -> Int { (value + unit - 1) / unit * unit }
