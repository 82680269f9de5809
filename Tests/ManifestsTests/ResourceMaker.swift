import JSON
import Resources

/// Makes resources of random values that the field tables allow.
struct ResourceMaker {
  var generator: Generator

  mutating func resource(_ kind: Kind) -> Resource {
    let spec = reconciled(.object(group(Schema.table(for: kind).fields)))
    return Resource(
      ResourceID(kind, "r\(kind.rawValue.lowercased())"), spec: spec,
      labels: [Resource.Label(name: "l" + text(), value: text())],
      annotations: [Resource.Label(name: "a" + text(), value: text())])
  }

  /// Makes fields agree that random values would set against each other.
  private mutating func reconciled(_ spec: JSONValue) -> JSONValue {
    var spec = spec
    for (part, count) in [("cpu", "count"), ("memory", "guest")] where spec[part] != nil {
      spec[part]?["reservation"] = 0
      let value = spec[part]?[count]
      if spec[part]?["max"] != nil { spec[part]?["max"] = value }
      let limit = spec[part]?["limit"]
      if limit != nil { spec[part]?["reservation"] = limit }
    }
    if let disks = spec["disks"]?.array {
      spec["disks"] = .array(
        disks.enumerated().map { index, disk in
          var disk = disk
          disk["volume"] = nil
          if index == 0 { disk["image"] = "n0" }
          if index == 1, disk["size"] == nil { disk["image"] = "n1" }
          return reordered(disk, Schema.table(for: .virtualMachine).field(at: "disks"))
        })
    }
    if let interfaces = spec["interfaces"]?.array {
      spec["interfaces"] = .array(
        interfaces.enumerated().map { index, interface in
          var interface = interface
          if interface["mac"] != nil { interface["mac"] = .string("52:54:00:00:00:0\(index)") }
          let ports = (interface["ports"]?.array ?? []).enumerated().map { number, port in
            var port = port
            if port["host"] != nil { port["host"] = .integer(Int64(index * 10 + number + 1)) }
            return port
          }
          interface["ports"] = .array(ports)
          return interface
        })
    }
    if let secrets = spec["cloudInit"]?["secrets"]?.array {
      spec["cloudInit"]?["secrets"] = .array(
        secrets.enumerated().map { index, secret in
          var one: JSONValue = ["name": secret["name"] ?? ""]
          let way = ["file", "env", "command"][index % 3]
          one[way] = ["file": "/p/1", "env": "X", "command": ["a", "b c"]][way]
          return one
        })
    }
    if spec["readinessProbe"] != nil {
      for way in ["guestAgent", "exec", "console"] { spec["readinessProbe"]?[way] = nil }
      spec["readinessProbe"]?["tcp"] = ["port": 22]
      spec["readinessProbe"] = reordered(
        spec["readinessProbe"] ?? [:],
        Schema.table(for: .virtualMachine).field(at: "readinessProbe"))
    }
    return group(network(spec))
  }

  private func network(_ spec: JSONValue) -> JSONValue {
    guard spec["mode"]?.string.map(["user", "nat", "isolated", "bridge"].contains) == true else {
      return spec
    }
    var spec = spec
    let mode = spec["mode"]?.string ?? ""
    spec["bridge"] = mode == "bridge" ? "br0" : nil
    if mode == "user" || mode == "bridge" { spec["ipv6"] = nil }
    if mode == "bridge" { for name in ["subnet", "dhcp", "dns"] { spec[name] = nil } }
    if mode == "user" {
      spec["mtu"] = nil
      if spec["dns"] != nil { spec["dns"]?["hosts"] = [] }
    }
    if mode != "nat", spec["dns"] != nil { spec["dns"]?["forwarders"] = [] }
    if let mtu = spec["mtu"]?.integer { spec["mtu"] = .integer(max(mtu, 1280)) }
    if spec["ipv6"]?["enabled"] == false { spec["ipv6"]?["subnet"] = nil }
    if spec["dhcp"] != nil {
      spec["subnet"] = "10.9.0.0/24"
      spec["dhcp"]?["range"] = ["10.9.0.5", "10.9.0.9"]
    }
    return reordered(spec, fields: Schema.table(for: .network).fields)
  }

  /// Rules that are not idle, with ports where the protocol has them.
  private func group(_ spec: JSONValue) -> JSONValue {
    var spec = spec
    for name in ["ingress", "egress"] where spec[name] != nil {
      spec["default"]?[name] = "Deny"
      spec[name] = .array(
        (spec[name]?.array ?? []).map { rule in
          var rule = rule
          if rule["protocol"] == "any" || rule["protocol"] == "icmp" { rule["ports"] = nil }
          return rule
        })
    }
    return spec
  }

  private func reordered(_ value: JSONValue, _ field: Field?) -> JSONValue {
    reordered(value, fields: field?.type.fields ?? [])
  }

  /// The members in the order of the table, as in normal form.
  private func reordered(_ value: JSONValue, fields: [Field]) -> JSONValue {
    var object = JSONObject()
    for field in fields { object[field.name] = value[field.name] }
    return .object(object)
  }

  private mutating func group(_ fields: [Field]) -> JSONObject {
    var object = JSONObject()
    for field in fields {
      let isSet = field.isRequired || field.defaultValue != nil || Bool.random(using: &generator)
      if isSet { object[field.name] = value(field.type) }
    }
    return object
  }

  private mutating func value(_ type: FieldType) -> JSONValue {
    switch type {
    case .text(let format): return .string(text(format))
    case .bool: return .bool(Bool.random(using: &generator))
    case .integer(let limits), .millicores(let limits), .seconds(let limits):
      return .integer(Int64.random(in: limits, using: &generator))
    case .bytes(let limits):
      // Whole mebibytes, as memory must be.
      let mebi: Int64 = 1 << 20
      let range = (limits.lowerBound / mebi)...(limits.upperBound / mebi)
      return .integer(Int64.random(in: range, using: &generator) * mebi)
    case .choice(let words): return .string(words.randomElement(using: &generator) ?? "")
    case .reference: return .string(Bool.random(using: &generator) ? "n0" : "n1")
    case .object(let fields): return .object(group(fields))
    case .oneOf(let fields):
      let index = Int.random(in: 0..<fields.count, using: &generator)
      return .object([fields[index].name: value(fields[index].type)])
    case .list(let element):
      let (first, second) = (value(element), value(element))
      return .array(first == second ? [first] : [first, second])
    case .keyedList(_, let fields):
      return .array(
        (0..<2).map { index in
          var object = group(fields)
          if object["name"] != nil { object["name"] = .string("e\(index)") }
          if object["guest"] != nil { object["guest"] = .integer(Int64(index + 1)) }
          return .object(object)
        })
    case .map: return .object(["k": .string(text())])
    case .any: return any(depth: 3)
    }
  }

  private mutating func text(_ format: TextFormat) -> String {
    let number = Int.random(in: 1...200, using: &generator)
    switch format {
    case .ipv4: return "10.0.0.\(number)"
    case .ipv4Network: return "10.0.\(number).0/24"
    case .ipv6: return "fd00::\(number)"
    case .ipv6Network: return "fd00:\(number)::/64"
    case .address: return number.isMultiple(of: 2) ? "10.0.0.\(number)" : "2001:db8::\(number)"
    case .peer: return number.isMultiple(of: 2) ? "10.0.\(number).0/24" : "group:n1"
    case .ports: return number.isMultiple(of: 2) ? "\(number)" : "\(number)-65535"
    case .mac: return "52:54:00:00:00:" + (number < 16 ? "0" : "") + String(number, radix: 16)
    case .path: return "/p/\(number)"
    case .plain: return "p" + text()
    case .argument: return "a=\(number)"
    default: return "x\(number)"
    }
  }

  private mutating func any(depth: Int) -> JSONValue {
    switch Int.random(in: 0..<(depth > 0 ? 6 : 4), using: &generator) {
    case 0: return .bool(Bool.random(using: &generator))
    case 1: return .integer(Int64.random(in: .min ... .max, using: &generator))
    case 2: return .number(Double(Int32.random(in: -9999...9999, using: &generator)) / 8 + 0.0625)
    case 3: return .string(text())
    case 4: return .array((0..<2).map { _ in any(depth: depth - 1) } + [.null, []])
    default: return ["k": any(depth: depth - 1), .init(text() + "x"): any(depth: depth - 1)]
    }
  }

  /// A text with all that is hard for YAML: breaks, quotation marks, odd characters, odd words.
  private mutating func text() -> String {
    let hard = [
      "yes", "null", "1", "0x1", "- a", "a: b", "#", " lead", "trail ", "a\nb", "a\n", "a\n\n",
      "\n",
      " a\nb", "\ta\nb", "a\tb\nc", "é😀", "\u{85}", "\u{2028}", "\u{feff}", "\u{7f}", "\u{0}",
      "'\"\\",
      "", "<<", "*x", "&x", "!t", "%d", "@", "`", "{}", "[", "a\r\nb", "=", "~", ".5",
      "a\n  b\n\nc\n",
    ]
    return (hard.randomElement(using: &generator) ?? "")
      + (Bool.random(using: &generator) ? "" : hard.randomElement(using: &generator) ?? "")
  }
}
