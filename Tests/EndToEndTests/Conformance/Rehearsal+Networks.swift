import JSON
import Networking
import Testing

// What networks that ingot serves show, at the host and in a guest on them.
extension Rehearsal {
  /// What a network's supervisor is told, as text; the machine is alone on it.
  func network(
    _ name: String, _ text: (NetworkConfiguration) throws -> String?
  ) async throws -> String {
    let uid = try #require(try await resource("net/\(name)")["status"]?["uid"]?.string)
    let directory = NetworkDirectory("\(ingot.home)/networks/\(uid)")
    return try text(try NetworkConfiguration.read(directory)) ?? "nothing"
  }

  /// What a script prints once the card on the network `house` has its address; it knows the card's
  /// name as `card`.
  ///
  /// Only the first card comes up by itself, so the script has dhclient bring this one up.
  func inHouse(_ script: String) async throws -> String {
    try await inGuest(
      """
      card=$(basename $(dirname $(grep -l \(DebianSite.houseMAC) /sys/class/net/*/address)))
      ip -4 -o address show $card | grep -q inet ||
        dhclient -1 -lf /run/house.leases -pf /run/house.pid $card >/dev/null 2>&1 || true
      \(script)
      """)
  }

  /// The IPv4 address of the card, without the prefix.
  func addressInHouse() async throws -> String {
    try await inHouse("ip -4 -o address show $card | sed 's,.*inet \\([0-9.]*\\)/.*,\\1,'")
  }

  /// The address that the network's name server has for a name; `unknown` where there is none.
  func resolved(_ name: String) async throws -> String {
    try await inHouse(
      #"""
      python3 - \#(name) $(ip -4 -o address show $card | sed 's,.*inet \([0-9.]*\)[.].*,\1.1,') <<'END'
      import socket, struct, sys
      labels = b"".join(bytes([len(label)]) + label.encode() for label in sys.argv[1].split("."))
      question = labels + b"\0" + struct.pack(">HH", 1, 1)
      client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
      client.settimeout(2)
      try:
          client.sendto(struct.pack(">6H", 1, 256, 1, 0, 0, 0) + question, (sys.argv[2], 53))
          answer = client.recv(512)
          count = struct.unpack(">H", answer[6:8])[0]
          print(socket.inet_ntoa(answer[12 + len(question):][12:16]) if count else "unknown")
      except OSError as error:
          print(error)
      END
      """#)
  }

  /// Whether the gateway answers the guest's ping, or its packets are dropped.
  func reachesGateway() async throws -> String {
    try await inHouse(
      """
      gateway=$(ip -4 -o address show $card | sed 's,.*inet \\([0-9.]*\\)[.].*,\\1.1,')
      if ping -c 1 -W 2 $gateway >/dev/null; then echo reached; else echo dropped; fi
      """)
  }
}
