public import JSON
internal import SystemIO

extension NetworkConfiguration {
  /// The configuration as JSON.
  public var json: JSONValue {
    [
      "version": 1, "name": .string(name), "mode": .string(mode.rawValue),
      "bridge": JSONValue(bridge), "uplink": uplink.json, "segment": segment?.json ?? .null,
      "segment6": segment6?.json ?? .null, "domain": JSONValue(domain),
      "hosts": .array(hosts.map(\.json)), "forwarders": .array(forwarders.map(JSONValue.string)),
      "mtu": .integer(Int64(mtu)), "ports": .array(ports.map(\.json)),
    ]
  }

  /// Reads what `json` gave; `check()` tells whether the values go together.
  public init(_ reader: JSONReader) throws(JSONShapeError) {
    let _: Int = try reader.member("version").integer(1...1)
    self.init(
      name: try reader.member("name").string(),
      mode: try reader.member("mode").choice(Mode.self),
      bridge: try reader.optional("bridge")?.string(),
      uplink: try Uplink(reader.member("uplink")),
      segment: try reader.optional("segment").map(Segment.init),
      segment6: try reader.optional("segment6").map(Segment.init),
      domain: try reader.optional("domain")?.string(),
      hosts: try reader.member("hosts").all(HostRecord.init),
      forwarders: try reader.member("forwarders").strings(),
      mtu: try reader.member("mtu").integer(0...65_535),
      ports: try reader.member("ports").all(Port.init))
  }

  /// Reads a directory's configuration.
  public static func read(_ directory: NetworkDirectory) throws(NetworkError) -> Self {
    do {
      let bytes = try readFile(directory.configuration, limit: 1 << 24)
      let configuration = try NetworkConfiguration(JSONReader(JSONValue(parsing: bytes)))
      try configuration.check()
      return configuration
    } catch {
      throw NetworkError(
        "\(directory.configuration) can't be used: \(error); apply the network again")
    }
  }

  /// Checks it and writes it durably; a supervisor that runs takes it up when told to reload.
  public func write(_ directory: NetworkDirectory) throws(NetworkError) {
    try check()
    do {
      try replaceFile(directory.configuration, with: Array((json.text() + "\n").utf8))
    } catch {
      throw NetworkError("\(error)")
    }
  }
}

extension JSONReader {
  /// Reads each value of a list.
  func all<Element>(
    _ read: (JSONReader) throws(JSONShapeError) -> Element
  ) throws(JSONShapeError) -> [Element] {
    var elements: [Element] = []
    for item in try list() { elements.append(try read(item)) }
    return elements
  }
}

extension NetworkConfiguration.Uplink {
  var json: JSONValue {
    switch self {
    case .none: ["kind": "none"]
    case .userMode: ["kind": "userMode"]
    case .veth(let host, let guest):
      ["kind": "veth", "host": .string(host), "guest": .string(guest)]
    }
  }

  init(_ reader: JSONReader) throws(JSONShapeError) {
    let kind = try reader.member("kind")
    switch try kind.string() {
    case "none": self = .none
    case "userMode": self = .userMode
    case "veth":
      self = .veth(
        host: try reader.member("host").string(), guest: try reader.member("guest").string())
    default: throw JSONShapeError(path: kind.path, expected: "none, userMode or veth")
    }
  }
}

extension NetworkConfiguration.Segment {
  var json: JSONValue { ["network": .string(network), "gateway": .string(gateway)] }

  init(_ reader: JSONReader) throws(JSONShapeError) {
    self.init(
      network: try reader.member("network").string(),
      gateway: try reader.member("gateway").string())
  }
}

extension NetworkConfiguration.HostRecord {
  var json: JSONValue {
    ["name": .string(name), "addresses": .array(addresses.map(JSONValue.string))]
  }

  init(_ reader: JSONReader) throws(JSONShapeError) {
    self.init(
      name: try reader.member("name").string(),
      addresses: try reader.member("addresses").strings())
  }
}

extension NetworkConfiguration.Port {
  var json: JSONValue {
    [
      "id": .string(id), "mac": .string(mac), "address": JSONValue(address),
      "address6": JSONValue(address6), "hostName": .string(hostName),
      "connected": .bool(isConnected), "forwards": .array(forwards.map(\.json)),
      "filter": filter?.json ?? .null, "inbound": JSONValue(inbound),
      "outbound": JSONValue(outbound),
    ]
  }

  init(_ reader: JSONReader) throws(JSONShapeError) {
    self.init(
      id: try reader.member("id").string(), mac: try reader.member("mac").string(),
      address: try reader.optional("address")?.string(),
      address6: try reader.optional("address6")?.string(),
      hostName: try reader.member("hostName").string(),
      isConnected: try reader.member("connected").bool(),
      forwards: try reader.member("forwards").all(NetworkConfiguration.Forward.init),
      filter: try reader.optional("filter").map(NetworkConfiguration.Filter.init),
      inbound: try reader.optional("inbound")?.integer(1...1 << 50),
      outbound: try reader.optional("outbound")?.integer(1...1 << 50))
  }
}

extension NetworkConfiguration.Forward {
  var json: JSONValue {
    [
      "transport": .string(transport.rawValue), "hostAddress": .string(hostAddress),
      "hostPort": .integer(Int64(hostPort)), "guestPort": .integer(Int64(guestPort)),
    ]
  }

  init(_ reader: JSONReader) throws(JSONShapeError) {
    self.init(
      try reader.member("transport").choice(NetworkConfiguration.Transport.self),
      hostAddress: try reader.member("hostAddress").string(),
      hostPort: try reader.member("hostPort").integer(1 ... .max),
      guestPort: try reader.member("guestPort").integer(1 ... .max))
  }
}

extension NetworkConfiguration.Filter {
  var json: JSONValue {
    [
      "ingress": ingress.map { .array($0.map(\.json)) } ?? .null,
      "egress": egress.map { .array($0.map(\.json)) } ?? .null,
    ]
  }

  init(_ reader: JSONReader) throws(JSONShapeError) {
    self.init(
      ingress: try reader.optional("ingress")?.all(NetworkConfiguration.Rule.init),
      egress: try reader.optional("egress")?.all(NetworkConfiguration.Rule.init))
  }
}

extension NetworkConfiguration.Rule {
  var json: JSONValue {
    [
      "protocol": .string(self.protocol.rawValue),
      "ports": .array(
        ports.map { [.integer(Int64($0.lowerBound)), .integer(Int64($0.upperBound))] }),
      "peers": .array(peers.map(JSONValue.string)),
    ]
  }

  init(_ reader: JSONReader) throws(JSONShapeError) {
    self.init(
      try reader.member("protocol").choice(Content.self),
      ports: try reader.member("ports").all { item throws(JSONShapeError) in
        let ends = try item.all { end throws(JSONShapeError) in try end.integer() as UInt16 }
        guard ends.count == 2, ends[0] <= ends[1] else {
          throw JSONShapeError(path: item.path, expected: "the first and the last port")
        }
        return ends[0]...ends[1]
      },
      peers: try reader.member("peers").strings())
  }
}
