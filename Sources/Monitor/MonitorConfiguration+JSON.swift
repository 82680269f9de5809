public import JSON
internal import QEMU
internal import Supervision
internal import SystemIO

/// A file of a machine's directory that can't be used.
public struct MonitorError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong, and how to go on.
  public let description: String

  /// Says what is wrong and how to go on.
  public init(_ description: String) { self.description = description }
}

extension MonitorConfiguration {
  /// The configuration as JSON.
  public var json: JSONValue {
    [
      "version": 1, "machineID": .string(machineID), "generation": .string(generation),
      "qemu": .string(qemu), "networkExecutable": JSONValue(networkExecutable),
      "machine": machine.json, "policy": policy,
      "consoleLimit": .integer(Int64(consoleLimit)),
      "startLimit": .integer(Int64(startLimit)),
      "addressPeriod": .integer(Int64(addressPeriod)),
    ]
  }

  /// The part that can change while the guest runs: `set-policy`.
  var policy: JSONValue {
    [
      "strategy": .string(strategy.rawValue), "restartDelay": restartDelay.json,
      "grace": .integer(Int64(grace)), "readiness": readiness?.json ?? .null,
    ]
  }

  /// Reads what `json` gave.
  public init(_ reader: JSONReader) throws(JSONShapeError) {
    let _: Int = try reader.member("version").integer(1...1)
    self.init(
      machineID: try reader.member("machineID").string(),
      generation: try reader.member("generation").string(),
      qemu: try reader.member("qemu").string(),
      machine: try MachineSpec(reader.member("machine")),
      consoleLimit: try reader.member("consoleLimit").integer(4096...1 << 30),
      startLimit: try reader.member("startLimit").integer(1...86_400_000),
      addressPeriod: try reader.member("addressPeriod").integer(100...86_400_000),
      networkExecutable: try reader.optional("networkExecutable")?.string())
    try setPolicy(reader.member("policy"))
  }

  mutating func setPolicy(_ reader: JSONReader) throws(JSONShapeError) {
    let strategy = try reader.member("strategy").choice(RunStrategy.self)
    let delay = try RestartDelay(reader.member("restartDelay"))
    let grace = try reader.member("grace").integer(0...86_400_000) as Int
    let readiness: Probe?
    if let probe = reader.optional("readiness") {
      readiness = try Probe(probe)
    } else {
      readiness = nil
    }
    self.strategy = strategy
    self.restartDelay = delay
    self.grace = grace
    self.readiness = readiness
  }

  /// Reads a directory's configuration.
  public static func read(_ directory: MachineDirectory) throws(MonitorError) -> Self {
    do {
      let bytes = try readFile(directory.configuration, limit: 1 << 22)
      return try MonitorConfiguration(JSONReader(JSONValue(parsing: bytes)))
    } catch {
      throw MonitorError(
        "\(directory.configuration) can't be used: \(error); apply the machine again")
    }
  }

  /// Writes it durably; a monitor that runs takes it up with the guest's next start.
  public func write(_ directory: MachineDirectory) throws(MonitorError) {
    do {
      try replaceFile(directory.configuration, with: Array((json.text() + "\n").utf8))
    } catch {
      throw MonitorError("\(error)")
    }
  }
}

extension RestartDelay {
  var json: JSONValue {
    [
      "initial": .integer(Int64(initial)), "maximum": .integer(Int64(maximum)),
      "resetAfter": .integer(Int64(resetAfter)), "resetAfterUp": .integer(Int64(resetAfterUp)),
    ]
  }

  init(_ reader: JSONReader) throws(JSONShapeError) {
    self.init(
      initial: try reader.member("initial").integer(0...86_400_000),
      maximum: try reader.member("maximum").integer(0...86_400_000),
      resetAfter: try reader.member("resetAfter").integer(0...86_400_000))
    // Earlier releases did not write it.
    if let member = reader.optional("resetAfterUp") {
      resetAfterUp = try member.integer(0...86_400_000)
    }
  }
}

extension Probe.Way {
  fileprivate init(_ reader: JSONReader) throws(JSONShapeError) {
    if let network = reader.optional("network") {
      self = .network(try network.string())
    } else {
      self = try reader.member("userNetwork").bool() ? .userNetwork : .host
    }
  }
}

extension Probe {
  var json: JSONValue {
    var check: JSONValue
    switch self.check {
    case .guestAgent: check = ["kind": "guestAgent"]
    case .tcp(let address, let port, let way):
      check = [
        "kind": "tcp", "address": .string(address), "port": .integer(Int64(port)),
        "userNetwork": .bool(way == .userNetwork),
      ]
      if case .network(let path) = way { check["network"] = .string(path) }
    case .exec(let command):
      check = ["kind": "exec", "command": .array(command.map(JSONValue.string))]
    case .console(let text): check = ["kind": "console", "text": .string(text)]
    }
    check["initialDelay"] = .integer(Int64(initialDelay))
    check["period"] = .integer(Int64(period))
    check["timeout"] = .integer(Int64(timeout))
    check["successThreshold"] = .integer(Int64(successThreshold))
    check["failureThreshold"] = .integer(Int64(failureThreshold))
    return check
  }

  init(_ reader: JSONReader) throws(JSONShapeError) {
    let check: Check
    switch try reader.member("kind").string() {
    case "guestAgent": check = .guestAgent
    case "tcp":
      check = .tcp(
        address: try reader.member("address").string(),
        port: try reader.member("port").integer(1 ... .max),
        through: try Way(reader))
    case "exec":
      let command = try reader.member("command").strings()
      guard !command.isEmpty else {
        throw JSONShapeError(path: reader.path + ".command", expected: "a program's name at least")
      }
      check = .exec(command: command)
    case "console":
      let text = try reader.member("text").string()
      guard !text.isEmpty else {
        throw JSONShapeError(path: reader.path + ".text", expected: "not empty")
      }
      check = .console(text: text)
    default:
      throw JSONShapeError(
        path: reader.path + ".kind", expected: "guestAgent, tcp, exec or console")
    }
    let day = 86_400_000
    self.init(
      check, initialDelay: try reader.member("initialDelay").integer(0...day),
      period: try reader.member("period").integer(10...day),
      timeout: try reader.member("timeout").integer(1...day),
      successThreshold: try reader.member("successThreshold").integer(1...1000),
      failureThreshold: try reader.member("failureThreshold").integer(1...1000))
  }
}
