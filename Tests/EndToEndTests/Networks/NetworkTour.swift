import JSON
import SystemIO
import TestSupport
import Testing

/// What is seen from the guests of `NetworkTests`, and from the host.
struct NetworkTour {
  let host: TestHost
  let ingot: Ingot

  var web1: Guest { Guest(name: "web1", ingot: ingot) }
  var web2: Guest { Guest(name: "web2", ingot: ingot) }
  var hidden: Guest { Guest(name: "hidden", ingot: ingot) }

  /// web1's interface on the nat network.
  static let web1: JSONValue = [
    "name": "lan", "network": "lab", "address": "10.77.0.11",
    "ports": [
      ["host": 8080, "guest": 80], ["host": 7007, "guest": 7, "protocol": "udp"],
      ["host": 2222, "guest": 22],
    ],
  ]

  /// Guests have names, in short and in full, of both sorts of addresses.
  func names() async throws {
    for version in ["-4", "-6"] {
      for target in ["web2", "web2.lab.internal", "gateway.lab.internal"] {
        #expect(try await web1.eventuallyReaches(target, version), "web1 to \(target) \(version)")
      }
      #expect(try await web2.eventuallyReaches("web1", version), "web2 to web1 \(version)")
    }
    #expect(try await web2.get("http://web1/cgi-bin/name") == "web1\n")
    #expect(try await web1.run("nslookup printer.lab.internal").contains("10.77.0.9"))
    #expect(try await web1.run("ip -4 address show dev eth0").contains(" 10.77.0.11/24 "))
  }

  /// The world sees the host's address, and the host's own loopback is nobody else's.
  func world() async throws {
    #expect(try await web2.get("http://\(World.address)/") == "\(TestHost.address)\n")
    #expect(try await web2.get("http://[\(World.address6)]/") == "\(TestHost.address6)\n")
    #expect(try await web2.get("http://\(World.name)/") != "")
    let text = try await web2.run("echo hello | socat -t 3 -T 3 - UDP:\(World.address):7")
    #expect(text == "\(TestHost.address) hello\n")
    // web1 is on the isolated network too, which must not take its way out.
    #expect(try await web1.get("http://\(World.address)/") == "\(TestHost.address)\n")
    try await host.run(
      """
      python3 -m http.server --bind 127.0.0.1 8000 > /dev/null 2>&1 & server=$!
      until python3 world.py get http://127.0.0.1:8000 > /dev/null 2>&1; do sleep 0.1; done
      echo $server > loopback
      """)
    for address in ["10.0.2.2", "127.0.0.1", "[fd00::2]"] {
      #expect(try await web2.get("http://\(address):8000/") == "", "the host's loopback")
    }
    try await host.run("kill $(cat loopback)")
  }

  /// Guests of an isolated network have each other, also where one looks for a way out by hand.
  func isolation() async throws {
    for version in ["-4", "-6"] {
      #expect(try await hidden.eventuallyReaches("web1", version))
    }
    let others = [World.address, World.address6, TestHost.address, TestHost.address6, "10.77.0.11"]
    func expectCutOff() async throws {
      for address in others {
        let version = address.contains(":") ? "-6" : "-4"
        #expect(try await !hidden.reaches(address, version), "hidden to \(address)")
      }
    }
    try await expectCutOff()
    #expect(try await !hidden.succeeds("nslookup \(World.name)"))
    _ = try await hidden.run(
      """
      for server in $(sed -n 's/^nameserver //p' /etc/resolv.conf); do
        ip route add default via $server dev eth0 || :
      done
      """)
    try await expectCutOff()
  }

  /// Ports of the host lead to guests.
  func forwards() async throws {
    let name = try await host.run("python3 world.py get http://127.0.0.1:8080/cgi-bin/name")
    #expect(name == "web1\n")
    #expect(try await host.run("python3 world.py udp 127.0.0.1 7007 hello") == "hello\n")
  }

  /// An ssh client comes in over the forwarded port.
  func waysIn() async throws {
    try await shell("[ -e key ] || ssh-keygen -q -t ed25519 -N '' -f key", in: ingot.directory)
    if host.caller == .user {
      try await shell("chown \(Caller.userID) key", in: ingot.directory)
    }
    let key = String(
      decoding: try readFile(ingot.directory + "/key.pub", limit: 1 << 16), as: UTF8.self)
    _ = try await web1.run("echo '\(key)' > /root/.ssh/authorized_keys")
    let answer = try await ingot.run(
      [
        "ssh", "root@web1", "--", "-i", "key", "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
        "hostname; exit 7",
      ])
    #expect(answer.output == "web1\n", "\(answer.errors)")
    #expect(answer.code == 7)
  }
}
