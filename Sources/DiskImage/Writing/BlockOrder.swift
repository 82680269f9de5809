/// The blocks of a disk in the order in which they were first written to.
struct BlockOrder {
  private var positions: [Int: Int] = [:]
  /// The blocks; the first one stands first in the file.
  private(set) var inOrder: [Int] = []

  /// The position of a block, which is the next one where it is new.
  mutating func position(of block: Int) -> Int {
    if let position = positions[block] { return position }
    positions[block] = inOrder.count
    inOrder.append(block)
    return inOrder.count - 1
  }
}
