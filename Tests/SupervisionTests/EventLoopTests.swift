import Glibc
import Supervision
import SystemIO
import Testing

@Suite("The event loop")
struct EventLoopTests {
  static let host = HostContext.live()

  @Test("What an earlier call unwatched and closed is not told, nor what got its number")
  func reuse() throws {
    let loop = EventLoop(uptime: Self.host.uptime)
    let one = try makePipe(name: "one")
    var two: (read: Descriptor, write: Descriptor)? = try makePipe(name: "two")
    let number = try #require(two).read.raw
    var three: (read: Descriptor, write: Descriptor)?
    var told: [String] = []
    loop.watch(one.read) { _, _ in
      told.append("one")
      if let pipe = two { loop.unwatch(pipe.read) }
      two = nil
      do {
        let pipe = try makePipe(name: "three")
        #expect(pipe.read.raw == number)
        loop.watch(pipe.read) { _, _ in told.append("three") }
        three = pipe
      } catch {
        Issue.record(error)
      }
      loop.unwatch(one.read)
      loop.after(milliseconds: 20) { loop.stop() }
    }
    loop.watch(try #require(two).read) { _, _ in told.append("two") }
    try one.write.write([1])
    try two?.write.write([1])
    try loop.run()
    #expect(told == ["one"])
    withExtendedLifetime(three) {}
  }

  @Test("What wants no reading is told of its end alone")
  func paused() throws {
    let loop = EventLoop(uptime: Self.host.uptime)
    let pair = try StreamSocket.pair(name: "pair")
    let other = try StreamSocket.pair(name: "other")
    var told: [String] = []
    loop.watch(pair.ours, wantsRead: false) { _, _ in told.append("bytes") }
    loop.watch(other.ours, wantsRead: false) { _, _ in
      told.append("end")
      loop.stop()
    }
    try pair.theirs.write([1])
    loop.after(milliseconds: 20) { shutdown(other.theirs.raw, Int32(SHUT_RDWR)) }
    try loop.run()
    #expect(told == ["end"])
  }
}
