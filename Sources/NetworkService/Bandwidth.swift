public import Networking

/// What a guest may receive in a second; what it may send is in the packet rules.
public enum Bandwidth {
  /// Commands for `tc -batch -` that put the limit of a port in effect, or take it away.
  ///
  /// - Parameter port: one whose tap is there.
  public static func commands(for port: NetworkConfiguration.Port) -> String {
    guard let rate = port.inbound else {
      // What a tap has from the start, near enough; it can always be put in another's place.
      return "qdisc replace dev \(port.tap) root pfifo_fast\n"
    }
    // A packet of 64 KiB at least, which offloading hands over at once.
    let burst = min(max(rate / 50, 1 << 17), 1 << 30)
    // Of tc's units `bps` is bytes per second.
    return "qdisc replace dev \(port.tap) root tbf rate \(rate)bps burst \(burst) latency 50ms\n"
  }
}
