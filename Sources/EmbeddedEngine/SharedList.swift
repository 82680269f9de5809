internal import Synchronization

/// A list that several threads add to.
final class SharedList<Element: Sendable>: Sendable {
  private let elements = Mutex<[Element]>([])

  /// Adds an element; the order is that of the calls.
  func append(_ element: Element) { elements.withLock { $0.append(element) } }

  /// What was added so far.
  var values: [Element] { elements.withLock { $0 } }
}
