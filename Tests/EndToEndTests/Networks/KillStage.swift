import Glibc
import SystemIO
import TestSupport
import Testing

/// Two guests that ask each other and the world without a pause, and the host that asks them.
struct KillStage {
  /// What is killed.
  enum Victim: String, CaseIterable {
    case supervisor, gate, dnsmasq, uplink, machine

    func isOne(_ command: [String]) -> Bool {
      let program = command.first?.split(separator: "/").last ?? ""
      let verb = command.count > 1 ? command[1] : ""
      return switch self {
      case .supervisor: program == "ingot-network" && verb == "serve"
      case .gate: program == "ingot-network" && verb == "gate"
      case .dnsmasq: program == "dnsmasq"
      case .uplink: program == "slirp4netns"
      case .machine: program.hasPrefix("qemu-system")
      }
    }
  }

  let host: TestHost
  let ingot: Ingot
  /// How many processes of each program there are while all is well.
  private var census: [String: Int] = [:]
  private var round = 0

  private var web1: Guest { Guest(name: "web1", ingot: ingot) }
  private var web2: Guest { Guest(name: "web2", ingot: ingot) }

  /// How long it may take until packets flow again, in milliseconds.
  private static let patience = 5_000

  init(host: TestHost, ingot: Ingot) async throws {
    (self.host, self.ingot) = (host, ingot)
    #expect(try await web1.eventuallyReaches("web2"))
    try await startMeters()
    census = try count()
    print("processes: \(census)")
  }

  /// What there is to kill: an ordinary user's way out is a process, root's may be none.
  var victims: [Victim] {
    get throws {
      let commands = try host.processes().values
      return Victim.allCases.filter { victim in commands.contains { victim.isOne($0) } }
    }
  }

  /// A round: kills one and expects all to be well again.
  mutating func kill(_ victim: Victim, _ random: inout SeededGenerator) async throws {
    round += 1
    let candidates = try host.processes().filter { victim.isOne($0.value) }.map(\.key).sorted()
    let process = try #require(candidates.randomElement(using: &random), "no \(victim) runs")
    let guest = victim == .machine ? try guest(of: process) : nil
    let label = "round \(round), \(guest?.name ?? "\(victim)") \(process)"
    try await resetMeters()
    let begin = ContinuousClock.now
    Glibc.kill(process, SIGKILL)
    try await eventually(5, "\(label): its process is not back") {
      try host.processes()[process] == nil && count() == census
    }
    let back = ContinuousClock.now - begin
    var patience = Self.patience
    var boot = ""
    if let guest {
      try await revive(guest)
      let milliseconds = try await bootTime(of: guest)
      // A machine on which a guest needs longer by itself can't have it back sooner.
      patience = max(patience, 2 * milliseconds)
      boot = ", of which its kernel needs \(milliseconds) ms for its address"
    }
    let gaps = try await longestGaps(label)
    print("\(label): back after \(back), gaps \(gaps) ms\(boot)")
    for gap in gaps { #expect(gap <= patience, "\(label): packets flowed after \(gap) ms") }
    let now = try count()
    #expect(now == census, "\(label): processes are \(now)")
  }

  /// Ends the questions.
  func end() async throws { try await host.run("kill $(cat meter.pid)") }

  /// Milliseconds from the start of a guest's kernel to its first address.
  private func bootTime(of guest: Guest) async throws -> Int {
    let text = try await guest.run("cat /run/up")
    let seconds = try #require(Double(text.filter { !$0.isWhitespace }), "it is '\(text)'")
    return Int(seconds * 1000)
  }

  /// The guest that a QEMU runs.
  private func guest(of process: Int32) throws -> Guest {
    let words = try #require(try host.processes()[process], "QEMU \(process) has ended by itself")
    return try #require(
      [web1, web2].first { guest in words.contains { $0.hasPrefix("guest=\(guest.name),") } })
  }

  /// How many processes there are of each program.
  private func count() throws -> [String: Int] {
    var count: [String: Int] = [:]
    for command in try host.processes().values {
      let program = command[0].split(separator: "/").last.map(String.init) ?? ""
      let verb = program == "ingot-network" ? " \(command.dropFirst().first ?? "")" : ""
      count[program + verb, default: 0] += 1
    }
    return count
  }
}

// The meters: each writes how often all it asks has answered, and the longest time between two such
// answers in milliseconds.
extension KillStage {
  private func startMeters() async throws {
    try await startAsking()
    try await connect()
    try await host.run(
      """
      setsid python3 world.py meter http://127.0.0.1:8080/ > /dev/null 2>&1 < /dev/null &
      echo $! > meter.pid
      """)
    try await resetMeters()
  }

  /// Starts again what ended with a guest.
  ///
  /// Who asks that guest asks on meanwhile: the host web1, and web1 web2.
  private func revive(_ guest: Guest) async throws {
    try await ingot.succeed("wait", "web1", "web2", "--timeout", "8m")
    if guest.name == web1.name { try await startAsking() }
    try await connect()
  }

  /// Lets the first guest ask the second, by its name, and the world.
  ///
  /// They are asked by IPv4: a guest's kernel looks at its links once a second only, and has no IPv6
  /// before it has seen its link go up.
  private func startAsking() async throws {
    _ = try await web1.run(
      """
      cat > /run/meter <<'METER'
      echo $$ > /run/meter.pid
      now() { read -r up idle < /proc/uptime; up=${up%.*}${up#*.}0; }
      count=0 longest=0
      now; last=$up
      while :; do
        [ ! -e /run/reset ] || { longest=0 count=0; now; last=$up; rm /run/reset; }
        if timeout 0.5 ping -4 -c 1 web2 > /dev/null &&
          timeout 0.5 wget -q -O /dev/null http://\(World.address)/; then
          now
          [ $((up - last)) -le $longest ] || longest=$((up - last))
          last=$up count=$((count + 1))
          echo $count $longest > /run/answers.new && mv /run/answers.new /run/answers
        fi
        sleep 0.1
      done
      METER
      setsid sh /run/meter > /dev/null 2>&1 < /dev/null &
      """)
  }

  /// Makes one connection between the guests, which outlives all but them.
  private func connect() async throws {
    _ = try await web2.run(
      "pidof nc || setsid nc -ll -p 9000 -e /bin/cat > /dev/null 2>&1 < /dev/null &")
    _ = try await web1.run(
      """
      killall nc 2> /dev/null || :
      : > /run/echo
      setsid sh -c 'while :; do echo; sleep 0.2; done | nc web2 9000 > /run/echo' \
        > /dev/null 2>&1 < /dev/null &
      """)
  }

  /// Begins anew, with answers that have come since.
  private func resetMeters() async throws {
    try await host.run("touch reset; while [ -e reset ]; do sleep 0.05; done")
    _ = try await web1.run("touch /run/reset; while [ -e /run/reset ]; do usleep 50000; done")
  }

  private func answers() async throws -> [(count: Int, longest: Int)] {
    let texts = [
      try await web1.run("cat /run/answers 2> /dev/null || echo 0 0"),
      try await host.run("cat answers 2> /dev/null || echo 0 0"),
    ]
    return texts.map { text in
      let words = text.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
      return words.count == 2 ? (words[0], words[1]) : (0, 0)
    }
  }

  /// The longest gap that each meter has seen, once each has had more answers.
  private func longestGaps(_ label: String) async throws -> [Int] {
    let before = try await answers()
    let echoed = try await echoed()
    try await eventually(60, "\(label): nothing answers") {
      zip(before, try await answers()).allSatisfy { $1.count >= $0.count + 2 }
    }
    try await eventually(60, "\(label): the connection between the guests is lost") {
      try await self.echoed() > echoed
    }
    return try await answers().map(\.longest)
  }

  /// How many bytes came back over the one connection; it is not made anew where it is lost.
  private func echoed() async throws -> Int {
    Int(try await web1.run("stat -c %s /run/echo").filter { $0.isNumber }) ?? 0
  }

  /// Waits until something holds, for some seconds at most.
  private func eventually(
    _ seconds: Int, _ problem: @autoclosure () -> String, _ holds: () async throws -> Bool
  ) async throws {
    let end = ContinuousClock.now + .seconds(seconds)
    while try await !holds() {
      try #require(ContinuousClock.now < end, "\(problem())")
      try await Task.sleep(for: .milliseconds(50))
    }
  }
}
