import Resources
import Testing

@Suite("IPv6 addresses and networks")
struct IPv6Tests {
  @Test(
    "an address has one text",
    arguments: [
      ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("0:0:0:0:0:0:0:0", "::"),
      ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"), ("2001:0db8::0001", "2001:db8::1"),
      // The longest zeros are left out, of two the first, and never a single group.
      ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
      ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
      ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
      ("::ffff:10.0.0.1", "::ffff:10.0.0.1"), ("::ffff:a00:1", "::ffff:10.0.0.1"),
      ("64:ff9b::10.0.0.1", "64:ff9b::a00:1"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
      ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ])
  func text(written: String, text: String) throws {
    let address = try #require(IPv6Address(written))
    #expect(address.description == text)
    #expect(IPv6Address(text) == address)
  }

  @Test(
    "what is no address is refused",
    arguments: [
      "", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "1:2:3:4:5:6:7:8::",
      "::1:2:3:4:5:6:7:8", "12345::", "g::", "fe80::1%eth0", "::1.2.3", "::1.2.3.4:5", "1.2.3.4",
      "1.2.3.4::", ":1", "1:", "1::2:", "::+1", "::-1", " ::1", "::1 ", "::1/64",
    ])
  func bad(text: String) {
    #expect(IPv6Address(text) == nil)
  }

  @Test("any number gives a text that gives the number")
  func roundTrip() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<500 {
      // Groups of zeros are what is hard, so half of them are.
      let value = (0..<8).reduce(UInt128(0)) { value, _ in
        value << 16 | (Bool.random(using: &generator) ? 0 : UInt128(UInt16.random(in: 0...0xffff)))
      }
      let address = IPv6Address(value: value)
      #expect(IPv6Address(address.description) == address, "\(address)")
    }
  }

  @Test("networks know their addresses")
  func networks() throws {
    let network = try #require(IPv6Network("fd00:77::/64"))
    #expect(network.description == "fd00:77::/64")
    #expect(network.gateway.description == "fd00:77::1")
    #expect(network.isHost(try #require(IPv6Address("fd00:77::11"))))
    #expect(!network.isHost(network.first))
    #expect(!network.isHost(try #require(IPv6Address("fd00:77::ffff:ffff:ffff:ffff"))))
    #expect(!network.contains(try #require(IPv6Address("fd00:77:0:1::"))))
    #expect(IPv6Network("::/0")?.contains(try #require(IPv6Address("ff02::1"))) == true)
    #expect(IPv6Network("::1/128")?.isHost(try #require(IPv6Address("::1"))) == false)
    let address = try #require(IPv6Address("fd00:77::1:2"))
    #expect(IPv6Network(of: address, prefix: 64) == network)
    #expect(IPv6Network(of: address, prefix: 0).description == "::/0")
  }

  @Test(
    "what is no network is refused",
    arguments: [
      "fd00::1/64", "fd00::", "fd00::/", "fd00::/129", "fd00::/+4", "fd00::/64/64", "/64",
    ])
  func badNetworks(text: String) {
    #expect(IPv6Network(text) == nil)
  }

  @Test(
    "guests may have global and unique local addresses",
    arguments: [
      ("fd00::/64", true), ("fc00::/64", true), ("2001:db8::/64", true), ("3fff::/64", true),
      ("fe80::/64", false), ("ff02::/64", false), ("::/64", false), ("4000::/64", false),
    ])
  func unicast(text: String, isUnicast: Bool) {
    #expect(IPv6Network(text)?.isUnicast == isUnicast)
  }

  @Test("a card's own address comes of its MAC")
  func cards() throws {
    let network = try #require(IPv6Network("fd00:77::/64"))
    #expect(
      network.address(ofMAC: "52:54:00:12:34:56")?.description == "fd00:77::5054:ff:fe12:3456")
    #expect(network.address(ofMAC: "02:00:00:00:00:01")?.description == "fd00:77::ff:fe00:1")
    #expect(network.address(ofMAC: "52:54:00:12:34") == nil)
    #expect(IPv6Network("fd00:77::/80")?.address(ofMAC: "52:54:00:12:34:56") == nil)
  }
}
