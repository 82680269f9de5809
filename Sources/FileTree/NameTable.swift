/// A hash table from (directory, name) to a directory entry, without storing either.
///
/// Open addressing over entry numbers: 4 bytes a slot. `Hasher` is seeded anew in each process,
/// so a hostile archive can't make names collide; the order of slots never reaches any output.
struct NameTable: Sendable {
  private static let free = UInt32.max
  private static let removed = UInt32.max - 1

  private var slots: [UInt32] = Array(repeating: free, count: 64)
  private var occupied = 0

  /// The entry for which `matches` holds among those of the same hash.
  func find(_ hash: Int, matches: (UInt32) -> Bool) -> UInt32? {
    let mask = slots.count - 1
    var slot = hash & mask
    while slots[slot] != Self.free {
      if slots[slot] != Self.removed, matches(slots[slot]) { return slots[slot] }
      slot = (slot + 1) & mask
    }
    return nil
  }

  /// Whether `enlarge()` has to come before the next entry.
  var isFull: Bool { occupied * 4 >= slots.count * 3 }

  /// Adds an entry that is not there yet.
  mutating func insert(_ entry: UInt32, _ hash: Int) {
    let mask = slots.count - 1
    var slot = hash & mask
    while slots[slot] != Self.free { slot = (slot + 1) & mask }
    slots[slot] = entry
    occupied += 1
  }

  /// Takes an entry out.
  mutating func remove(_ entry: UInt32, _ hash: Int) {
    let mask = slots.count - 1
    var slot = hash & mask
    while slots[slot] != Self.free {
      if slots[slot] == entry {
        slots[slot] = Self.removed
        return
      }
      slot = (slot + 1) & mask
    }
  }

  /// Makes room, and gives back all entries to be inserted anew.
  ///
  /// Doubles the table, or only sweeps it where most slots are removed ones.
  mutating func enlarge() -> [UInt32] {
    let alive = slots.filter { $0 < Self.removed }
    let count = alive.count * 2 >= slots.count ? slots.count * 2 : slots.count
    slots = Array(repeating: Self.free, count: count)
    occupied = 0
    return alive
  }
}
