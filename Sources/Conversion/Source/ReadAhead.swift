internal import SystemIO

/// Reads pieces of files with several threads and hands them out in the order they were asked for.
///
/// Unchecked: a buffer belongs to the reader that took its job until the outcome is stored, then
/// to the one consumer until `release`; both hand-overs happen under the lock of `state`.
final class ReadAhead: @unchecked Sendable {
  /// The largest piece in bytes.
  static let pieceSize = 1 << 20

  enum Job: Sendable {
    /// A whole small file, opened and checked by the reader.
    case whole(directory: Descriptor, name: [UInt8], expected: SourceFile)
    /// A piece of a file that is open.
    case piece(file: Descriptor, offset: Int, count: Int)
  }

  /// What became of a job.
  struct Outcome: Sendable {
    /// Bytes read; fewer than asked for where the file ends early.
    var count = 0
    /// Why it could not be read.
    var failure: ReadFailure?
    /// Of a whole file: its status afterwards, with all flags of its inode.
    var status: FileStatus?
  }

  private struct State: Sendable {
    var jobs: [Job?]
    var outcomes: [Outcome?]
    var submitted = 0
    var taken = 0
    var released = 0
    var closed = false
  }

  /// Reads a file at an offset, as `Descriptor.read` does; tests put failures in its place.
  typealias Read =
    @Sendable (Descriptor, UnsafeMutableRawBufferPointer, Int) throws(SystemError) -> Int

  private let buffers: [UnsafeMutableRawBufferPointer]
  private let readFile: Read
  private let state: Shared<State>
  private var threads: [WorkerThread] = []

  /// Starts the readers; whoever does must call `close`.
  init(threads count: Int, reading readFile: @escaping Read) throws(SystemError) {
    self.readFile = readFile
    let slots = count * 8 + 8
    buffers = (0..<slots).map { _ in .allocate(byteCount: Self.pieceSize, alignment: 4096) }
    state = Shared(
      State(
        jobs: Array(repeating: nil, count: slots), outcomes: Array(repeating: nil, count: slots)))
    for _ in 0..<count { threads.append(try WorkerThread { [self] in work() }) }
  }

  deinit { buffers.forEach { $0.deallocate() } }

  /// Whether another job may be submitted now.
  var hasRoom: Bool {
    state.withLock(wake: false) { $0.submitted - $0.released < buffers.count }
  }

  /// Queues a job; only while there is room.
  func submit(_ job: Job) {
    state.wakeIf {
      let slot = $0.submitted % buffers.count
      $0.jobs[slot] = job
      $0.outcomes[slot] = nil
      $0.submitted += 1
      // Waking a reader costs as much as reading a small file, so it is for several; `next`
      // wakes for the rest.
      return $0.submitted - $0.taken >= 4
    }
  }

  /// Waits for the oldest job and lends its bytes to `body`.
  func next<Result>(
    _ body: (Outcome, UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    state.wakeIf { $0.outcomes[$0.released % buffers.count] == nil }
    let (slot, outcome) = state.wait { state -> (Int, Outcome)? in
      let slot = state.released % self.buffers.count
      return state.outcomes[slot].map { (slot, $0) }
    }
    defer {
      state.withLock(wake: false) {
        $0.outcomes[slot] = nil
        $0.jobs[slot] = nil
        $0.released += 1
      }
    }
    return try body(
      outcome, UnsafeRawBufferPointer(rebasing: buffers[slot][..<outcome.count]))
  }

  /// Ends the readers.
  func close() {
    state.withLock { $0.closed = true }
    threads.forEach { $0.join() }
    threads = []
  }

  private func work() {
    while true {
      let work: (Int, Job)?? = state.wait { state -> (Int, Job)?? in
        if state.closed { return .some(nil) }
        guard state.taken < state.submitted else { return nil }
        let slot = state.taken % self.buffers.count
        guard let job = state.jobs[slot] else { return .some(nil) }
        state.taken += 1
        return (slot, job)
      }
      guard let (slot, job) = work ?? nil else { return }
      let outcome = run(job, into: buffers[slot])
      state.wakeIf {
        $0.outcomes[slot] = outcome
        return slot == $0.released % buffers.count
      }
    }
  }

  private func run(_ job: Job, into buffer: UnsafeMutableRawBufferPointer) -> Outcome {
    var outcome = Outcome()
    do throws(SystemError) {
      switch job {
      case .piece(let file, let offset, let count):
        outcome.count = try read(file, from: offset, into: buffer, count)
      case .whole(let directory, let name, let expected):
        switch openChecked(directory, name, expected) {
        case .failure(let failure): outcome.failure = failure
        case .success(let file):
          outcome.count = try read(file, from: 0, into: buffer, expected.size)
          outcome.status = try file.fullStatus()
        }
      }
    } catch {
      outcome.failure = .system(error)
    }
    return outcome
  }

  private func read(
    _ file: Descriptor, from offset: Int, into buffer: UnsafeMutableRawBufferPointer, _ count: Int
  ) throws(SystemError) -> Int {
    var done = 0
    while done < count {
      let part = UnsafeMutableRawBufferPointer(rebasing: buffer[done..<count])
      let got = try readFile(file, part, offset + done)
      if got == 0 { break }
      done += got
    }
    return done
  }
}

extension Descriptor {
  /// The status with the inode's flags that statx(2) does not tell.
  func fullStatus() throws(SystemError) -> FileStatus {
    var status = try status()
    status.flags |= inodeFlags() ?? 0
    return status
  }
}

/// Why a file that was scanned can't be read.
enum ReadFailure: Error, Sendable {
  /// The host refused.
  case system(SystemError)
  /// Something else has the name now.
  case replaced

  var reason: String {
    switch self {
    case .system(let error) where error.isNotFound: "it vanished after the tree was scanned"
    // O_NOFOLLOW's answer to a symbolic link.
    case .system(let error) where error.operation == "open" && error.isLinkLoop:
      "it was replaced while the tree was read"
    case .system(let error): "it could not be read: \(error.reason)"
    case .replaced: "it was replaced while the tree was read"
    }
  }
}

/// Opens a file that was scanned, without waiting for anything and following no link, and makes
/// sure that it is the same one.
func openChecked(
  _ directory: Descriptor, _ name: [UInt8], _ expected: SourceFile
) -> Result<Descriptor, ReadFailure> {
  do throws(SystemError) {
    let file = try directory.open(name, [.read, .nonBlocking])
    let status = try file.status()
    guard status.isRegular, status.device == expected.device, status.inode == expected.inode else {
      return .failure(.replaced)
    }
    return .success(file)
  } catch {
    return .failure(.system(error))
  }
}
