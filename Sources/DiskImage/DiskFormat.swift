/// The container a guest's disk is kept in.
public enum DiskFormat: String, Hashable, Sendable, CaseIterable {
  /// The disk's bytes as they are; what was never written is a hole.
  case raw
  /// QEMU's copy-on-write format, version 3 (docs/interop/qcow2.txt).
  case qcow2
}

/// How the clusters of a qcow2 image are compressed; raw images never are.
public enum DiskCompression: Hashable, Sendable {
  /// Clusters are stored as they are.
  case none
  /// Raw deflate with a window of 4 KiB: read by every QEMU. Level 1 to 9.
  case zlib(level: Int)
  /// Zstandard: read by QEMU 5.1 and later. Level 1 to 19.
  case zstd(level: Int)

  /// Zstandard at the level where speed per byte saved is best on file systems' data.
  public static let fast = DiskCompression.zstd(level: 1)
}

/// The unit in which disks are assembled, compressed and mapped, in bytes.
let clusterSize = 1 << clusterBits
let clusterBits = 16

/// The largest disk: what QEMU's limit of 32 MiB on the level-1 table reaches at this cluster size.
let largestDisk = (32 << 20) / 8 * (clusterSize / 8) * clusterSize

/// `value` rounded up to a multiple of `unit`; both far below the integer's limit.
func roundUp(_ value: Int, to unit: Int) -> Int { (value + unit - 1) / unit * unit }
