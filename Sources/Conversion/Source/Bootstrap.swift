internal import Glibc
internal import Resources
internal import SystemIO

/// mmdebstrap at work: its tar comes out of `output`.
final class Bootstrap: @unchecked Sendable {
  // Unchecked: all but `interrupt`, which reads constants, is called by the one owner.

  /// Where files are clamped that are made while packages are installed, so that the same
  /// packages give the same bytes whatever the day: 2025-01-01T00:00:00Z.
  static let defaultEpoch: Int64 = 1_735_689_600

  /// Bytes of messages that are kept, the last ones.
  private static let messageLimit = 1 << 16

  let output: Descriptor
  private let pid: Int32
  private let handle: ProcessHandle
  private let messages = Shared([UInt8]())
  private let messageReader: WorkerThread
  private var isReaped = false

  /// The arguments that make mmdebstrap write a tar to its standard output.
  static func arguments(_ source: ImageSpecification.Bootstrap) throws -> [String] {
    var arguments = ["--mode=auto", "--format=tar"]
    if !source.variant.isEmpty { arguments.append("--variant=\(source.variant)") }
    if !source.packages.isEmpty {
      arguments.append("--include=\(source.packages.joined(separator: ","))")
    }
    if !source.components.isEmpty {
      arguments.append("--components=\(source.components.joined(separator: ","))")
    }
    guard source.distribution == "debian" || !source.mirrors.isEmpty else {
      throw ConversionError(
        "the distribution '\(source.distribution)' has no mirror that is known",
        help: "name one in spec.source.bootstrap.mirrors")
    }
    // What begins with a dash would be taken for an option.
    for word in [source.suite] + source.mirrors where word.isEmpty || word.hasPrefix("-") {
      throw ConversionError(
        "'\(word)' is no suite or mirror", help: "correct spec.source.bootstrap")
    }
    return arguments + [source.suite, "-"] + source.mirrors
  }

  /// Starts mmdebstrap.
  init(
    _ source: ImageSpecification.Bootstrap, environment: [String], epoch: Int64, bootID: String
  ) throws {
    let path = environment.last { $0.hasPrefix("PATH=") }?.dropFirst(5) ?? ""
    guard let program = findExecutable("mmdebstrap", searchPath: String(path)) else {
      throw ConversionError(
        "mmdebstrap is not installed, and a bootstrap needs it", help: "apt-get install mmdebstrap")
    }
    let out = try makePipe(name: "mmdebstrap's archive")
    let err = try makePipe(name: "mmdebstrap's messages")
    let request = SpawnRequest(
      program, try Self.arguments(source),
      environment: environment + ["SOURCE_DATE_EPOCH=\(epoch)", "LC_ALL=C.UTF-8"],
      descriptors: [(1, out.write), (2, err.write)])
    pid = try request.spawn()
    handle = try ProcessHandle(childID: pid, bootID: bootID)
    output = out.read
    let messages = messages
    // Not `err` itself: holding its writing end, the reader would never see the end.
    let said = err.read
    messageReader = try WorkerThread { Self.collect(said, messages) }
  }

  deinit { stop() }

  /// Waits for the end.
  ///
  /// - Throws: what mmdebstrap said where it failed.
  func finish() throws {
    let end = try handle.wait()
    isReaped = true
    messageReader.join()
    if end != .exited(0) { throw failure }
  }

  /// Why the archive could not be taken: mmdebstrap's failure where it failed, else its own.
  ///
  /// One that still runs after a few seconds did not fail; it waits for a reader, and is ended.
  func explain(_ error: any Error, sleep: (Duration) -> Void) -> any Error {
    if isReaped { return error }
    for _ in 0..<100 {
      // A process that can't be waited for tells nothing more than the archive's error.
      guard let end = try? handle.wait(noHang: true) else {
        sleep(.milliseconds(30))
        continue
      }
      isReaped = true
      messageReader.join()
      return end == .exited(0) ? error : failure
    }
    stop()
    return error
  }

  /// Tells mmdebstrap and all it started to end; from any thread.
  func interrupt() { kill(-pid, SIGTERM) }

  /// The failure in mmdebstrap's own words.
  private var failure: ConversionError {
    let text = String(decoding: messages.withLock(wake: false) { $0 }, as: UTF8.self)
    let lines = text.split(separator: "\n").map(String.init)
    let errors = lines.filter { $0.hasPrefix("E:") }
    let words = (errors.isEmpty ? Array(lines.suffix(5)) : errors).joined(separator: "; ")
    return ConversionError(
      "mmdebstrap failed: \(words)",
      help: "check suite, packages and mirrors, and whether the mirror can be reached")
  }

  /// Ends mmdebstrap and all it started, where it still runs.
  func stop() {
    if isReaped { return }
    isReaped = true
    // Its session is its own, and its number can't be another's before it is waited for.
    interrupt()
    // The group is gone or told; there is nobody to tell of a failure to wait.
    _ = try? handle.wait()
    messageReader.join()
  }

  private static func collect(_ pipe: Descriptor, _ messages: Shared<[UInt8]>) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)
    defer { buffer.deallocate() }
    // A pipe that can't be read any more has ended.
    while let count = try? pipe.read(into: buffer), count > 0 {
      messages.withLock {
        $0 += buffer[..<count]
        if $0.count > messageLimit { $0.removeFirst($0.count - messageLimit) }
      }
    }
  }
}
