/// Gathers bytes that arrive in pieces into whole clusters.
struct ClusterAssembler {
  /// A cluster of which something has arrived.
  struct Partial {
    let buffer: UnsafeMutableRawPointer
    /// What has arrived: disjoint, ascending, never touching.
    var covered: [Range<Int>] = []

    /// Marks bytes as arrived; false where some had been before.
    mutating func cover(_ range: Range<Int>) -> Bool {
      // Bytes mostly come in order, so that the place is mostly the end.
      var place = covered.count
      while place > 0, covered[place - 1].lowerBound >= range.upperBound { place -= 1 }
      if place > 0, covered[place - 1].upperBound > range.lowerBound { return false }
      var merged = range
      if place < covered.count, covered[place].lowerBound == merged.upperBound {
        merged = merged.lowerBound..<covered[place].upperBound
        covered.remove(at: place)
      }
      if place > 0, covered[place - 1].upperBound == merged.lowerBound {
        covered[place - 1] = covered[place - 1].lowerBound..<merged.upperBound
      } else {
        covered.insert(merged, at: place)
      }
      return true
    }

    var isComplete: Bool { covered.first == 0..<clusterSize }

    /// Zeros what never arrived.
    func fillGaps() {
      var position = 0
      for range in covered {
        zero(position..<range.lowerBound)
        position = range.upperBound
      }
      zero(position..<clusterSize)
    }

    func zero(_ range: Range<Int>) {
      if range.isEmpty { return }
      (buffer + range.lowerBound).initializeMemory(as: UInt8.self, repeating: 0, count: range.count)
    }
  }

  /// Clusters that are passed on: sets of bits, one set for each 512 MiB of the disk.
  private var sealed: [Int: [UInt64]] = [:]
  private(set) var partials: [Int: Partial] = [:]

  private static let clustersPerSet = 8192

  func isSealed(_ cluster: Int) -> Bool {
    guard let set = sealed[cluster / Self.clustersPerSet] else { return false }
    let bit = cluster % Self.clustersPerSet
    return set[bit / 64] >> UInt64(bit % 64) & 1 == 1
  }

  mutating func seal(_ cluster: Int) {
    let bit = cluster % Self.clustersPerSet
    let empty = [UInt64](repeating: 0, count: Self.clustersPerSet / 64)
    sealed[cluster / Self.clustersPerSet, default: empty][bit / 64] |= 1 << UInt64(bit % 64)
  }

  /// Marks `range` of a cluster as arrived and answers its buffer; nil where some of it had
  /// arrived before.
  mutating func open(
    _ cluster: Int, _ range: Range<Int>, _ makeBuffer: () -> UnsafeMutableRawPointer
  ) -> Partial? {
    if isSealed(cluster) { return nil }
    // Taken out while it is changed, so that its array is not copied.
    var partial = partials.removeValue(forKey: cluster) ?? Partial(buffer: makeBuffer())
    let isNew = partial.cover(range)
    partials[cluster] = partial
    return isNew ? partial : nil
  }

  /// Takes a cluster out to pass it on.
  mutating func close(_ cluster: Int) -> Partial? {
    seal(cluster)
    return partials.removeValue(forKey: cluster)
  }
}
