import EmbeddedEngine
import Resources
import Testing

@Suite("Networks of the host")
struct HostNetworkTests {
  @Test("Routes of all tables and addresses are found; the default route and loopback are not")
  func parse() {
    let table = """
      Main:
        +-- 0.0.0.0/0 3 0 5
           |-- 0.0.0.0
              /0 universe UNICAST
           +-- 127.0.0.0/8 2 0 2
              |-- 127.0.0.0
                 /8 host LOCAL
              |-- 127.0.0.1
                 /32 host LOCAL
           +-- 192.0.2.0/24 2 0 2
              |-- 192.0.2.0
                 /24 link UNICAST
              |-- 192.0.2.2
                 /32 host LOCAL
              |-- 192.0.2.255
                 /32 link BROADCAST
      Id 200:
        |-- 10.64.0.0
           /15 universe UNICAST
      """
    let found = HostNetworks.parse(table).map { "\($0.network) \($0.user)" }
    #expect(
      found == [
        "10.64.0.0/15 a route of the host", "192.0.2.0/24 a route of the host",
        "192.0.2.2/32 an address of the host",
      ])
  }
}
