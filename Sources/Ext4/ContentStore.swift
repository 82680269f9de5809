/// A run of a file's blocks that lie together on the disk.
struct Extent {
  var logical: UInt32
  var count: UInt32
  var physical: Int
}

/// The extents of everything that has blocks of its own: files, directories, long links.
struct ContentStore {
  private struct Record {
    var size: Int
    var firstExtent: Int
  }

  private var records: [Record] = []
  private var extents: [Extent] = []
  private var openExtents = 0

  var count: Int { records.count }

  mutating func begin() { openExtents = extents.count }

  mutating func add(logical: Int, _ run: Range<Int>) {
    var logical = UInt32(truncatingIfNeeded: logical)
    var run = run
    if extents.count > openExtents, let last = extents.last,
      last.logical + last.count == logical, last.physical + Int(last.count) == run.lowerBound
    {
      let more = min(run.count, Ext4.longestExtent - Int(last.count))
      extents[extents.count - 1].count += UInt32(more)
      logical += UInt32(more)
      run = run.lowerBound + more..<run.upperBound
    }
    while !run.isEmpty {
      let part = min(run.count, Ext4.longestExtent)
      extents.append(Extent(logical: logical, count: UInt32(part), physical: run.lowerBound))
      logical += UInt32(part)
      run = run.lowerBound + part..<run.upperBound
    }
  }

  /// Closes what was begun and numbers it.
  mutating func end(size: Int) -> Int {
    records.append(Record(size: size, firstExtent: openExtents))
    return records.count - 1
  }

  /// The extents of blocks that follow each other in a file.
  static func extents(of runs: [Range<Int>]) -> [Extent] {
    var store = ContentStore()
    var logical = 0
    for run in runs {
      store.add(logical: logical, run)
      logical += run.count
    }
    return store.extents
  }

  func size(_ content: Int) -> Int { records[content].size }

  func extents(_ content: Int) -> ArraySlice<Extent> {
    let end =
      content + 1 < records.count ? records[content + 1].firstExtent : extents.count
    return extents[records[content].firstExtent..<end]
  }
}
