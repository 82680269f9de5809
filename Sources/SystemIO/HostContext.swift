internal import Glibc

/// The one way in for what differs from run to run: clock, randomness and facts of the host.
///
/// Everything that decides anything gets this value, so that a test can fix it.
public struct HostContext: Sendable {
  /// The wall clock.
  public var now: @Sendable () -> Timestamp
  /// Nanoseconds on a clock that never goes back and counts from the host's boot.
  public var uptime: @Sendable () -> UInt64
  /// Random bytes, as many as asked for.
  public var randomBytes: @Sendable (Int) -> [UInt8]
  /// Names this boot of the host; empty where the kernel doesn't tell.
  public var bootID: String
  /// Processors that may be used.
  public var processors: Int
  /// Memory in bytes.
  public var memory: Int
  /// How the host is called.
  public var name: String

  /// Makes a context of given facts.
  public init(
    now: @escaping @Sendable () -> Timestamp, uptime: @escaping @Sendable () -> UInt64,
    randomBytes: @escaping @Sendable (Int) -> [UInt8], bootID: String, processors: Int,
    memory: Int, name: String = "localhost"
  ) {
    self.now = now
    self.uptime = uptime
    self.randomBytes = randomBytes
    self.bootID = bootID
    self.processors = processors
    self.memory = memory
    self.name = name
  }

  /// The real host.
  public static func live() -> HostContext {
    // A kernel without the file leaves the identity empty; the process's start time still tells
    // one run from another.
    let boot = (try? readFile("/proc/sys/kernel/random/boot_id", limit: 64)) ?? []
    return HostContext(
      now: {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: UInt32(time.tv_nsec))
      },
      uptime: {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
      },
      randomBytes: { count in
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
      },
      bootID: String(decoding: boot, as: UTF8.self).filter { $0 != "\n" },
      processors: max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))),
      memory: sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)), name: nodeName())
  }

  private static func nodeName() -> String {
    var facts = utsname()
    guard uname(&facts) == 0 else { return "localhost" }
    return withUnsafeBytes(of: facts.nodename) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  /// A random identifier in the form of RFC 9562, version 4.
  public func makeUUID() -> String {
    var bytes = randomBytes(16)
    bytes[6] = bytes[6] & 0x0f | 0x40
    bytes[8] = bytes[8] & 0x3f | 0x80
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for (index, byte) in bytes.enumerated() {
      if [4, 6, 8, 10].contains(index) { text.append(UInt8(ascii: "-")) }
      text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
    return String(decoding: text, as: UTF8.self)
  }
}
