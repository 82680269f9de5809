import Resources
import Testing

@Suite("Formats of texts")
struct FormatTests {
  @Test(
    "good texts",
    arguments: [
      (TextFormat.name, "a"), (.name, "web-1"), (.name, String(repeating: "a", count: 63)),
      (.hostName, "lab.internal"), (.hostName, "A-1.example"), (.ipv4, "0.0.0.0"),
      (.ipv4, "255.255.255.255"), (.ipv4Network, "10.77.0.0/24"), (.ipv4Network, "0.0.0.0/0"),
      (.ipv4Network, "10.1.2.3/32"), (.mac, "52:54:00:12:34:56"), (.path, "../a b"),
      (.word, "bookworm"), (.word, "Haswell-noTSX"), (.argument, "g++=4:12.2"),
      (.interface, "br0"), (.plain, " "), (.ipv6, "fd00::1"), (.ipv6Network, "fd00:77::/64"),
      (.address, "10.0.0.1"), (.address, "::1"), (.peer, "0.0.0.0/0"), (.peer, "::/0"),
      (.peer, "10.0.0.1"), (.peer, "fd00::1"), (.peer, "group:web-1"), (.ports, "80"),
      (.ports, "1-65535"),
    ])
  func good(format: TextFormat, text: String) {
    #expect(format.problem(with: text) == nil)
  }

  @Test(
    "bad texts",
    arguments: [
      (TextFormat.name, ""), (.name, "-a"), (.name, "a-"), (.name, "A"), (.name, "a.b"),
      (.name, "é"),
      (.name, String(repeating: "a", count: 64)), (.hostName, "a..b"), (.hostName, "-a.b"),
      (.ipv4, "1.2.3"), (.ipv4, "1.2.3.256"), (.ipv4, "01.2.3.4"), (.ipv4, "1.2.3.4 "),
      (.ipv4, "1.2.3.+4"),
      (.ipv4Network, "10.77.0.1/24"), (.ipv4Network, "10.0.0.0/33"), (.ipv4Network, "10.0.0.0"),
      (.ipv4Network, "10.0.0.0/-1"), (.mac, "01:00:5e:00:00:01"), (.mac, "00:00:00:00:00:00"),
      (.mac, "52:54:00:12:34"), (.mac, "52:54:00:12:34:5g"), (.mac, "5254:00:12:34:56:78"),
      (.path, "a\0b"), (.word, "-x"), (.word, "host,+vmx"), (.argument, "--root"),
      (.argument, "a b"),
      (.argument, "a\u{7}"), (.interface, "0123456789abcdef"), (.interface, "a/b"), (.plain, ""),
      (.ipv6, "10.0.0.1"), (.ipv6Network, "fd00::1/64"), (.address, "fd00::/64"),
      (.peer, "10.0.0.1/8"), (.peer, "group:"), (.peer, "group:Web"), (.peer, "web"), (.ports, "0"),
      (.ports, "080"), (.ports, "65536"), (.ports, "90-80"), (.ports, "80-"), (.ports, "1-2-3"),
      (.ports, "+1"),
    ])
  func bad(format: TextFormat, text: String) {
    #expect(format.problem(with: text) != nil)
    #expect(!format.help.isEmpty)
  }

  @Test("a MAC is kept in lower case with colons")
  func mac() {
    #expect(TextFormat.mac.normalized("52-54-00-AB-CD-EF") == "52:54:00:ab:cd:ef")
  }

  @Test("what can be written in several ways is kept in one")
  func oneForm() {
    #expect(TextFormat.ipv6.normalized("FD00:0:0:0::0A") == "fd00::a")
    #expect(TextFormat.ipv6Network.normalized("FD00:0077:0::/64") == "fd00:77::/64")
    #expect(TextFormat.peer.normalized("::FFFF") == "::ffff")
    #expect(TextFormat.peer.normalized("group:web") == "group:web")
    #expect(TextFormat.ports.normalized("80-80") == "80")
    #expect(TextFormat.ports.normalized("80-90") == "80-90")
  }

  @Test("networks know their addresses")
  func networks() throws {
    let network = try #require(IPv4Network("10.77.0.0/24"))
    #expect(network.last.description == "10.77.0.255")
    #expect(network.isHost(try #require(IPv4Address("10.77.0.1"))))
    #expect(!network.isHost(network.first) && !network.isHost(network.last))
    #expect(!network.contains(try #require(IPv4Address("10.77.1.0"))))
    #expect(IPv4Network("0.0.0.0/0")?.last.description == "255.255.255.255")
  }
}
