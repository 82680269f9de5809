public import JSON

extension NetworkStatus {
  /// The status as JSON.
  public var json: JSONValue {
    [
      "state": .string(state.rawValue), "problem": .string(problem),
      "namespace": .counter(namespace), "processes": .array(processes.map(\.json)),
      "leases": .array(leases.map(\.json)), "ports": .array(ports.map(\.json)),
      "forwardProblems": .array(forwardProblems.map(\.json)),
    ]
  }

  /// Reads what `json` gave.
  public init(_ reader: JSONReader) throws(JSONShapeError) {
    self.init(
      state: try reader.member("state").choice(State.self),
      problem: try reader.member("problem").string(),
      namespace: try reader.member("namespace").integer(),
      processes: try reader.member("processes").all(Process.init),
      leases: try reader.member("leases").all(Lease.init),
      ports: try reader.member("ports").all(Port.init),
      forwardProblems: try reader.member("forwardProblems").all(ForwardProblem.init))
  }
}

extension JSONValue {
  /// A number that never reaches half of its range.
  fileprivate static func counter(_ value: UInt64) -> JSONValue {
    .integer(Int64(clamping: value))
  }
}

extension NetworkStatus.Process {
  var json: JSONValue {
    [
      "name": .string(name), "pid": JSONValue(pid.map(Int.init)),
      "restarts": .integer(Int64(restarts)),
    ]
  }

  init(_ reader: JSONReader) throws(JSONShapeError) {
    self.init(
      name: try reader.member("name").string(),
      pid: try reader.optional("pid")?.integer(1 ... .max),
      restarts: try reader.member("restarts").integer(0 ... .max))
  }
}

extension NetworkStatus.Lease {
  var json: JSONValue {
    [
      "mac": .string(mac), "address": .string(address), "name": .string(name),
      "expires": expires.map(JSONValue.integer) ?? .null,
    ]
  }

  init(_ reader: JSONReader) throws(JSONShapeError) {
    self.init(
      mac: try reader.member("mac").string(), address: try reader.member("address").string(),
      name: try reader.member("name").string(),
      expires: try reader.optional("expires")?.integer(0 ... .max))
  }
}

extension NetworkStatus.Port {
  var json: JSONValue {
    [
      "id": .string(id), "tap": .string(tap), "plugged": .bool(isPlugged),
      "receivedBytes": .counter(receivedBytes), "receivedPackets": .counter(receivedPackets),
      "sentBytes": .counter(sentBytes), "sentPackets": .counter(sentPackets),
    ]
  }

  init(_ reader: JSONReader) throws(JSONShapeError) {
    self.init(
      id: try reader.member("id").string(), tap: try reader.member("tap").string(),
      isPlugged: try reader.member("plugged").bool(),
      receivedBytes: try reader.member("receivedBytes").integer(),
      receivedPackets: try reader.member("receivedPackets").integer(),
      sentBytes: try reader.member("sentBytes").integer(),
      sentPackets: try reader.member("sentPackets").integer())
  }
}

extension NetworkStatus.ForwardProblem {
  var json: JSONValue {
    ["port": .string(port), "forward": forward.json, "problem": .string(problem)]
  }

  init(_ reader: JSONReader) throws(JSONShapeError) {
    self.init(
      port: try reader.member("port").string(),
      forward: try NetworkConfiguration.Forward(reader.member("forward")),
      problem: try reader.member("problem").string())
  }
}
