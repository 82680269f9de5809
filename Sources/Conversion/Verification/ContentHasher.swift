internal import Crypto
internal import Ext4
internal import SystemIO

/// The SHA-256 of each content that went through a file system's writer, by its number.
struct ContentDigests: Sendable {
  static let length = 32
  private var bytes: [UInt8] = []

  mutating func set(_ digest: [UInt8], for number: UInt64) {
    let start = Int(number) * Self.length
    if bytes.count < start + Self.length {
      bytes += [UInt8](repeating: 0, count: start + Self.length - bytes.count)
    }
    bytes.replaceSubrange(start..<start + Self.length, with: digest)
  }

  /// The digest of a content; nil for a number that was never given out.
  subscript(number: UInt64) -> [UInt8]? {
    guard number < UInt64(bytes.count / Self.length) else { return nil }
    let start = Int(number) * Self.length
    return Array(bytes[start..<start + Self.length])
  }
}

/// Computes the SHA-256 of every file on its way into a file system, on threads of its own.
///
/// Bytes are copied into batches; a file stays on one thread, and small files share a batch, so
/// that the writer's thread pays for the copy alone.
final class ContentHasher: ContentObserver {
  /// Bytes of files one after another, and where they have holes and ends.
  ///
  /// Unchecked: a batch belongs to the writer's thread until it is queued, then to the one that
  /// takes it, and is free again under the lock.
  private final class Batch: @unchecked Sendable {
    static let size = 1 << 20
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 64)
    var count = 0
    var marks: [(at: Int, mark: Mark)] = []

    deinit { buffer.deallocate() }
  }

  private enum Mark {
    case hole(Int)
    case end(UInt64)
  }

  private struct State: Sendable {
    var queues: [[Batch]]
    var free: [Batch]
    var isClosed = false
    var digests = ContentDigests()
  }

  private let state: Shared<State>
  private var threads: [WorkerThread] = []
  private var batch: Batch?
  private var lane = 0

  /// Starts the threads; they end with `finish` or with this object.
  init(threads count: Int) throws(SystemError) {
    state = Shared(
      State(
        queues: Array(repeating: [], count: count), free: (0...count * 2).map { _ in Batch() }))
    for lane in 0..<count {
      threads.append(try WorkerThread { [state] in Self.work(lane, state) })
    }
  }

  deinit { close() }

  func beginContent() {}

  func append(_ bytes: UnsafeRawBufferPointer) {
    var rest = bytes
    while !rest.isEmpty {
      let batch = openBatch()
      let count = min(rest.count, Batch.size - batch.count)
      UnsafeMutableRawBufferPointer(rebasing: batch.buffer[batch.count..<batch.count + count])
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
      batch.count += count
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      if batch.count == Batch.size { submit() }
    }
  }

  func appendHole(_ count: Int) {
    let batch = openBatch()
    batch.marks.append((batch.count, .hole(count)))
    if batch.marks.count >= Self.mostMarks { submit() }
  }

  func endContent(_ number: UInt64) {
    let batch = openBatch()
    batch.marks.append((batch.count, .end(number)))
    // Only between files may the work go to another thread.
    if batch.count >= Batch.size / 4 || batch.marks.count >= Self.mostMarks {
      submit()
      lane = (lane + 1) % threads.count
    }
  }

  /// Waits for what is under way and gives the digests.
  func finish() -> ContentDigests {
    submit()
    close()
    return state.withLock(wake: false) { $0.digests }
  }

  private static let mostMarks = 4096

  private func openBatch() -> Batch {
    if let batch { return batch }
    let free = state.wait { $0.free.popLast() }
    batch = free
    return free
  }

  private func submit() {
    guard let batch else { return }
    self.batch = nil
    state.withLock { $0.queues[lane].append(batch) }
  }

  private func close() {
    state.withLock { $0.isClosed = true }
    threads.forEach { $0.join() }
    threads = []
  }

  private static func work(_ lane: Int, _ state: Shared<State>) {
    var hasher = SHA256()
    while true {
      let next: Batch?? = state.wait { state -> Batch?? in
        if !state.queues[lane].isEmpty { return .some(state.queues[lane].removeFirst()) }
        return state.isClosed ? .some(nil) : nil
      }
      guard let batch = next ?? nil else { return }
      let digests = digest(batch, &hasher)
      batch.count = 0
      batch.marks = []
      state.withLock {
        for (number, digest) in digests { $0.digests.set(digest, for: number) }
        $0.free.append(batch)
      }
    }
  }

  private static func digest(
    _ batch: Batch, _ hasher: inout SHA256
  ) -> [(number: UInt64, digest: [UInt8])] {
    var digests: [(number: UInt64, digest: [UInt8])] = []
    var position = 0
    func take(to end: Int) {
      hasher.update(bufferPointer: UnsafeRawBufferPointer(rebasing: batch.buffer[position..<end]))
      position = end
    }
    for (place, mark) in batch.marks {
      take(to: place)
      switch mark {
      case .hole(let count): hasher.updateZeros(count)
      case .end(let number):
        digests.append((number, Array(hasher.finalize())))
        hasher = SHA256()
      }
    }
    take(to: batch.count)
    return digests
  }
}

extension SHA256 {
  /// Goes on over bytes that are all zero.
  mutating func updateZeros(_ count: Int) {
    let zeros = [UInt8](repeating: 0, count: min(count, 1 << 16))
    var left = count
    while left > 0 {
      let part = min(left, zeros.count)
      zeros.withUnsafeBytes { update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[..<part])) }
      left -= part
    }
  }
}
