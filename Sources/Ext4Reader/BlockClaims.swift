/// A run of blocks and the inode that says they are its own; inode 0 is the file system itself.
struct BlockClaim: Sendable {
  let start: UInt64
  var count: UInt32
  let inode: UInt32
}

/// Who uses which blocks, to find blocks of two owners and blocks that are marked free.
struct BlockClaims {
  private var claims: [BlockClaim] = []

  var count: Int { claims.count }

  /// Adds a run that lies in the file system.
  mutating func add(_ start: UInt64, _ count: UInt32, _ inode: UInt32) {
    if let last = claims.last, last.inode == inode, last.start + UInt64(last.count) == start,
      last.count < 1 << 30
    {
      claims[claims.count - 1].count += count
    } else {
      claims.append(BlockClaim(start: start, count: count, inode: inode))
    }
  }

  /// The claims by place.
  ///
  /// - Throws: `Ext4ReadError` where two overlap.
  func sorted() throws -> [BlockClaim] {
    let sorted = claims.sorted { ($0.start, $0.inode) < ($1.start, $1.inode) }
    for (a, b) in zip(sorted, sorted.dropFirst()) where a.start + UInt64(a.count) > b.start {
      let owner = a.inode == 0 ? "the file system itself" : "inode \(a.inode)"
      throw Ext4ReadError(inode: b.inode, block: b.start, "the block belongs to \(owner) too")
    }
    return sorted
  }
}
