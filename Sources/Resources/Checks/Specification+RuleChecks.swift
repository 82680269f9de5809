internal import Diagnostics
internal import JSON

extension Specification {
  /// What is wrong with a security group's rules; read off the values, for which rules are left out
  /// of the typed specification.
  static func ruleProblems(_ spec: JSONValue) -> [Diagnostic] {
    [("ingress", "from"), ("egress", "to")].flatMap { name, peers -> [Diagnostic] in
      let rules = spec[name]?.array ?? []
      var found: [Diagnostic] = []
      if !rules.isEmpty, spec["default"]?[name] == "Allow" {
        found.append(
          conflict(
            "the rules change nothing, for all else is allowed too", "spec.\(name)",
            help: "write 'default: {\(name): Deny}', or remove '\(name)'"))
      }
      for (index, rule) in rules.enumerated() {
        found += problems(rule, peers: peers, "spec.\(name)[\(index)]")
      }
      return found
    }
  }

  private static func problems(_ rule: JSONValue, peers: String, _ path: String) -> [Diagnostic] {
    var found: [Diagnostic] = []
    let ports = (rule["ports"]?.array ?? []).compactMap(\.string)
    let transport = rule["protocol"]?.string ?? ""
    if !ports.isEmpty, !["tcp", "udp"].contains(transport) {
      found.append(
        conflict(
          "ports need a protocol that has them", path + ".ports",
          help: "write 'protocol: tcp' or 'protocol: udp' beside it"))
    }
    for name in ["ports", peers] where rule[name]?.array?.isEmpty == true {
      let all = name == "ports" ? "all ports" : "anyone"
      found.append(
        conflict(
          "the list is empty, so that the rule allows nothing", "\(path).\(name)",
          help: "leave '\(name)' out for \(all)"))
    }
    return found + repetitions(ports, path + ".ports")
      + repetitions((rule[peers]?.array ?? []).compactMap(\.string), "\(path).\(peers)")
  }
}
