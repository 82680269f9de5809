internal import Glibc
internal import SystemIO

/// Where finished clusters go, one at a time and in the order of their submission.
protocol ClusterSink: AnyObject {
  /// Takes a cluster that is not all zeros. `bytes` is a whole cluster, or less when `compressed`;
  /// valid during the call.
  func append(
    cluster: Int, _ bytes: UnsafeRawBufferPointer, compressed: Bool
  ) throws(DiskImageError)

  /// Writes what waits, the format's tables and headers, and sets the file's size.
  func finish(virtualSize: Int) throws(DiskImageError)
}

/// Compresses clusters on own threads and hands them to the sink in the order they came.
///
/// A ring of slots bounds what is under way. A worker that finishes a cluster also delivers
/// whatever is due, so that no thread exists only for writing and the sink is never entered twice
/// at a time.
///
/// Unchecked: `state` is touched under `mutex` only. A slot's buffers belong to the submitter
/// until submission, then to the worker that took it, then to the deliverer; each hand-over
/// happens under `mutex`. The sink is used by whoever set `delivering`, and after `finish` by the
/// caller alone.
final class ClusterPipeline: @unchecked Sendable {
  private enum Outcome { case waiting, zero, plain, compressed(Int) }

  private struct Slot {
    var cluster = 0
    var input: UnsafeMutableRawPointer
    let output: UnsafeMutableRawPointer
    var outcome: Outcome = .waiting
  }

  private struct State {
    var slots: [Slot]
    var spare: [UnsafeMutableRawPointer] = []
    var submitted = 0
    var taken = 0
    var delivered = 0
    var delivering = false
    var closed = false
    var failure: DiskImageError?
  }

  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let workReady: UnsafeMutablePointer<pthread_cond_t>
  private let slotFree: UnsafeMutablePointer<pthread_cond_t>
  private var state: State
  private let sink: any ClusterSink
  private let file: String
  private var threads: [WorkerThread] = []

  /// Starts a worker for each compressor.
  ///
  /// Whoever starts them must call `close` in the end.
  init(
    sink: any ClusterSink, compressors: [ClusterCompressor], file: String
  ) throws(DiskImageError) {
    self.sink = sink
    self.file = file
    mutex = .allocate(capacity: 1)
    workReady = .allocate(capacity: 1)
    slotFree = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(workReady, nil)
    pthread_cond_init(slotFree, nil)
    let slots = (0..<compressors.count * 8 + 8).map { _ in
      Slot(
        input: Self.makeBuffer(),
        output: .allocate(byteCount: ClusterCompressor.outputSize, alignment: 4096))
    }
    state = State(slots: slots)
    for compressor in compressors {
      do {
        threads.append(try WorkerThread { [self] in work(compressor) })
      } catch {
        close()
        throw .compressorFailed(file: file, reason: "\(error)")
      }
    }
  }

  // The workers hold the pipeline, so that it goes only after `close`.
  deinit {
    for slot in state.slots {
      slot.input.deallocate()
      slot.output.deallocate()
    }
    state.spare.forEach { $0.deallocate() }
    pthread_cond_destroy(slotFree)
    pthread_cond_destroy(workReady)
    pthread_mutex_destroy(mutex)
    slotFree.deallocate()
    workReady.deallocate()
    mutex.deallocate()
  }

  /// A buffer of one cluster with undefined content; give it back by `submit`, or deallocate it.
  func takeBuffer() -> UnsafeMutableRawPointer {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return state.spare.popLast() ?? Self.makeBuffer()
  }

  /// Queues a whole cluster, waiting while the ring is full.
  ///
  /// - Throws: the first failure of any cluster before this one.
  func submit(cluster: Int, _ buffer: UnsafeMutableRawPointer) throws(DiskImageError) {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while state.submitted - state.delivered == state.slots.count, state.failure == nil {
      pthread_cond_wait(slotFree, mutex)
    }
    if let failure = state.failure {
      state.spare.append(buffer)
      throw failure
    }
    let index = state.submitted % state.slots.count
    state.spare.append(state.slots[index].input)
    state.slots[index].input = buffer
    state.slots[index].cluster = cluster
    state.slots[index].outcome = .waiting
    state.submitted += 1
    pthread_cond_signal(workReady)
  }

  /// Waits until everything submitted is delivered and ends the workers.
  func finish() throws(DiskImageError) {
    pthread_mutex_lock(mutex)
    while state.delivered < state.submitted, state.failure == nil {
      pthread_cond_wait(slotFree, mutex)
    }
    let failure = state.failure
    pthread_mutex_unlock(mutex)
    close()
    if let failure { throw failure }
  }

  /// Ends the workers, leaving undone what is queued; safe to call again.
  func close() {
    pthread_mutex_lock(mutex)
    state.closed = true
    pthread_cond_broadcast(workReady)
    pthread_mutex_unlock(mutex)
    for thread in threads { thread.join() }
    threads = []
  }

  private static func makeBuffer() -> UnsafeMutableRawPointer {
    .allocate(byteCount: clusterSize, alignment: 4096)
  }
}

// MARK: - The workers

extension ClusterPipeline {
  private func work(_ compressor: ClusterCompressor) {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while true {
      while state.taken == state.submitted, !state.closed { pthread_cond_wait(workReady, mutex) }
      if state.closed || state.failure != nil { return }
      let index = state.taken % state.slots.count
      let slot = state.slots[index]
      state.taken += 1
      pthread_mutex_unlock(mutex)
      let outcome = Self.process(slot, compressor)
      pthread_mutex_lock(mutex)
      state.slots[index].outcome = outcome
      if !state.delivering { deliver() }
    }
  }

  private static func process(_ slot: Slot, _ compressor: ClusterCompressor) -> Outcome {
    let input = UnsafeRawBufferPointer(start: slot.input, count: clusterSize)
    if isZero(input) { return .zero }
    let output = UnsafeMutableRawBufferPointer(
      start: slot.output, count: ClusterCompressor.outputSize)
    guard let size = compressor.compress(input, into: output) else { return .plain }
    return .compressed(size)
  }

  /// Hands over every finished cluster that is next in line; called and left with `mutex` held.
  private func deliver() {
    state.delivering = true
    defer { state.delivering = false }
    while state.delivered < state.taken, state.failure == nil {
      let slot = state.slots[state.delivered % state.slots.count]
      if case .waiting = slot.outcome { return }
      pthread_mutex_unlock(mutex)
      let failure = hand(slot)
      pthread_mutex_lock(mutex)
      state.failure = failure
      state.delivered += 1
      pthread_cond_signal(slotFree)
    }
  }

  private func hand(_ slot: Slot) -> DiskImageError? {
    do {
      switch slot.outcome {
      case .waiting, .zero: break
      case .plain:
        let bytes = UnsafeRawBufferPointer(start: slot.input, count: clusterSize)
        try sink.append(cluster: slot.cluster, bytes, compressed: false)
      case .compressed(let size):
        let bytes = UnsafeRawBufferPointer(start: slot.output, count: size)
        try sink.append(cluster: slot.cluster, bytes, compressed: true)
      }
      return nil
    } catch {
      return error
    }
  }
}

/// Whether all bytes are zero; fast to say no.
func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
  guard let start = bytes.baseAddress, let first = bytes.first else { return true }
  // A block is zero when its first byte is and each byte equals the one before it.
  return first == 0 && memcmp(start, start + 1, bytes.count - 1) == 0
}
