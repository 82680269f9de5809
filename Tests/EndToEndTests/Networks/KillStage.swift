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
    let label = "round \(round), \(victim) \(process)"
    try await resetMeters()
    let begin = ContinuousClock.now
    Glibc.kill(process, SIGKILL)
    if victim == .machine {
      try await eventually(60, "\(label): its process is not back") {
        try host.processes()[process] == nil && count() == census
      }
      try await ingot.succeed("wait", "web1", "web2", "--timeout", "8m")
      try await startMeters()
    } else {
      try await eventually(5, "\(label): its process is not back") {
        try host.processes()[process] == nil && count() == census
      }
    }
    let back = ContinuousClock.now - begin
    let gaps = try await longestGaps(label)
    print("\(label): back after \(back), gaps \(gaps) ms")
    if victim != .machine {
      for gap in gaps { #expect(gap <= Self.patience, "\(label): packets flowed after \(gap) ms") }
    }
    let now = try count()
    #expect(now == census, "\(label): processes are \(now)")
  }

  /// Ends the questions.
  func end() async throws { try await host.run("kill $(cat meter.pid)") }

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
    _ = try await web1.run(
      """
      [ ! -e /run/meter.pid ] || kill $(cat /run/meter.pid) || :
      cat > /run/meter <<'METER'
      echo $$ > /run/meter.pid
      now() { read -r up idle < /proc/uptime; up=${up%.*}${up#*.}0; }
      count=0 longest=0
      now; last=$up
      while :; do
        [ ! -e /run/reset ] || { longest=0 count=0; now; last=$up; rm /run/reset; }
        if timeout 2 wget -q -O /dev/null http://web2/ &&
          timeout 2 wget -q -O /dev/null http://\(World.address)/; then
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
    // One connection, which outlives all but the guests.
    _ = try await web2.run(
      "pidof nc || setsid nc -ll -p 9000 -e /bin/cat > /dev/null 2>&1 < /dev/null &")
    _ = try await web1.run(
      """
      killall nc 2> /dev/null || :
      : > /run/echo
      setsid sh -c 'while :; do echo; sleep 0.2; done | nc web2 9000 > /run/echo' \
        > /dev/null 2>&1 < /dev/null &
      """)
    try await host.run(
      """
      [ ! -e meter.pid ] || kill $(cat meter.pid) || :
      rm -f answers reset
      setsid python3 world.py meter http://127.0.0.1:8080/cgi-bin/name > /dev/null 2>&1 < /dev/null &
      echo $! > meter.pid
      """)
    try await resetMeters()
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
