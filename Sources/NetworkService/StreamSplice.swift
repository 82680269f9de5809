internal import Networking
internal import Supervision
internal import SystemIO

/// Two connections of which each gets what the other sends, half-closes too.
///
/// At most one piece waits in each direction: who sends faster than the other takes is not read.
final class StreamSplice {
  /// One direction.
  private struct Way {
    var piece: ArraySlice<UInt8> = []
    /// The sender has said that nothing more comes, and the receiver was told.
    var hasEnded = false
  }

  /// One of the two connections, as it stands in the loop.
  private struct Side {
    let socket: Descriptor
    var isWatched = false
  }

  private static let pieceSize = 1 << 16
  private let loop: EventLoop
  private var sides: [Side]
  /// By the side that sends.
  private var ways = [Way(), Way()]
  private var isOpen = true
  private let onClose: () -> Void

  /// Joins two connected sockets; `onClose` is called once, when both have ended.
  init(_ loop: EventLoop, _ first: Descriptor, _ second: Descriptor, onClose: @escaping () -> Void)
  {
    self.loop = loop
    sides = [Side(socket: first), Side(socket: second)]
    self.onClose = onClose
    for index in 0...1 { watch(index) }
  }

  /// Ends both; the other ends see an error.
  func abort() {
    guard isOpen else { return }
    // What can't be set is closed all the same.
    for side in sides { try? InternetSocket.abortAtClose(side.socket) }
    close()
  }

  private func close() {
    guard isOpen else { return }
    isOpen = false
    for side in sides { loop.unwatch(side.socket) }
    onClose()
  }

  private func isReady(_ index: Int) {
    do throws(SystemError) {
      // A side that can be written takes what the other sent, one that can be read sends.
      try move(from: 1 - index)
      try move(from: index)
    } catch {
      return abort()
    }
    if ways[0].hasEnded && ways[1].hasEnded { return close() }
    for index in 0...1 { watch(index) }
  }

  /// Moves what is there, but not for ever: others wait too.
  private func move(from index: Int) throws(SystemError) {
    for _ in 0..<4 where !ways[index].hasEnded {
      if ways[index].piece.isEmpty {
        guard
          let bytes = try StreamSocket.receive(from: sides[index].socket, atMost: Self.pieceSize)
        else { return }
        if bytes.isEmpty {
          ways[index].hasEnded = true
          return try InternetSocket.endSending(sides[1 - index].socket)
        }
        ways[index].piece = bytes[...]
      }
      let count = try StreamSocket.send(ways[index].piece, on: sides[1 - index].socket)
      ways[index].piece = ways[index].piece.dropFirst(count)
      if !ways[index].piece.isEmpty { return }
    }
  }

  /// Waits for what can go on now, and only for that: an end that is gone is told at each turn.
  private func watch(_ index: Int) {
    let wantsRead = !ways[index].hasEnded && ways[index].piece.isEmpty
    let wantsWrite = !ways[1 - index].piece.isEmpty
    let socket = sides[index].socket
    if !wantsRead && !wantsWrite {
      loop.unwatch(socket)
      sides[index].isWatched = false
    } else if sides[index].isWatched {
      loop.setWantsRead(socket, wantsRead)
      loop.setWantsWrite(socket, wantsWrite)
    } else {
      sides[index].isWatched = true
      loop.watch(socket, wantsRead: wantsRead, wantsWrite: wantsWrite) { [weak self] _, _ in
        self?.isReady(index)
      }
    }
  }
}
