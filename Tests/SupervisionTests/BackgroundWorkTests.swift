import Glibc
import Supervision
import SystemIO
import Testing

@Suite("Work beside the event loop")
struct BackgroundWorkTests {
  static let host = HostContext.live()

  @Test("Pieces are done in order, one at a time, while the loop goes on")
  func order() throws {
    let loop = EventLoop(uptime: Self.host.uptime)
    let work = BackgroundWork(loop)
    let here = pthread_self()
    var told: [String] = []
    loop.after(milliseconds: 20) { told.append("loop") }
    for number in 1...3 {
      work.run {
        usleep(100_000)
        return (number, pthread_equal(pthread_self(), here) == 0)
      } then: { result in
        guard case .success((let number, let isApart)) = result else { return loop.stop() }
        #expect(isApart)
        told.append("\(number)")
        if number == 3 {
          work.run {
            4
          } then: { _ in
            loop.stop()
          }
        }
      }
    }
    #expect(told == [])
    try loop.run()
    #expect(told == ["loop", "1", "2", "3"])
  }
}
