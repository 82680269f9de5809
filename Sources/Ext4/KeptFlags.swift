extension Ext4Writer {
  /// The inode flags that a new file of a type may have; all others tell how the source stores it
  /// (compressed, encrypted, inline), would be false here, and are left out.
  ///
  /// - Parameter type: the file type in the upper four mode bits.
  public static func keptFlags(ofType type: UInt16) -> UInt32 {
    // Secure removal, undelete, sync, immutable, append, no dump, no atime, data journalling,
    // no tail; for directories also synchronous and top of hierarchies.
    switch type {
    case 0o100000: 0xc0fb
    case 0o040000: 0x3c0fb
    default: 0xc0
    }
  }
}
