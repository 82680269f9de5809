internal import EngineInterface
internal import JSON
internal import Resources
internal import SystemIO

/// Everything there is to tell about one resource.
struct DescribeView {
  /// How text is painted.
  var style: Style
  /// Seconds since 1970, for ages.
  var now: Int64
  /// The names of the machines that are plugged into a network, by its name.
  var networkUsers: [String: [String]] = [:]

  /// The lines.
  ///
  /// - Parameter events: the newest events of the resource, oldest first.
  func lines(_ resource: ObservedResource, events: [EngineEvent]) -> [String] {
    let state = stateCell(resource)
    var pairs: [(String, String)] = [
      ("Name", resource.resource.id.name), ("Kind", resource.resource.id.kind.rawValue),
      ("UID", resource.uid), ("Generation", String(resource.generation)),
      ("Created", resource.isBuiltIn ? "built in" : moment(resource.created)),
      ("State", style.paint(state.text, state.ink)),
    ]
    if let set = resource.resource.set { pairs.append(("Set", set)) }
    if let reason = resource.reason { pairs.append(("Reason", sanitized(reason))) }
    if !resource.resource.labels.isEmpty {
      let labels = resource.resource.labels.map { "\($0.name)=\($0.value)" }
      pairs.append(("Labels", labels.joined(separator: ", ")))
    }
    if let machine = resource.machine { pairs += machinePairs(machine, resource) }
    let isNetwork = resource.resource.id.kind == .network
    let network = NetworkView(
      style: style, now: now, users: networkUsers[resource.resource.id.name] ?? [])
    if isNetwork { pairs += network.pairs(resource) }
    var lines = aligned(pairs)
    if resource.machine != nil {
      lines += ["", heading("Conditions")] + conditions(resource)
      let interfaces = interfaces(resource)
      if !interfaces.isEmpty { lines += ["", heading("Interfaces")] + interfaces }
    }
    if isNetwork {
      for section in network.sections(resource) {
        lines += ["", heading(section.heading)] + section.lines
      }
    }
    lines += ["", heading("Spec")] + specification(resource)
    // What of a network's details is told above is not told again.
    let details = isNetwork ? [:] : shownDetails(resource)
    if details.object?.isEmpty == false {
      lines += ["", heading("Status")] + tree(details, indent: 2)
    }
    if !resource.drift.isEmpty {
      lines += ["", heading("Changed outside ingot")]
      lines += DriftView(style: style).rows(resource.drift, of: resource.resource.id.kind)
    }
    lines += ["", heading("Events")] + eventLines(events)
    if resource.machine != nil {
      lines += ["", "Console: ingot console \(resource.resource.id.name) --log"]
    }
    return lines
  }

  private func machinePairs(
    _ machine: MachineStatus, _ resource: ObservedResource
  ) -> [(String, String)] {
    var pairs: [(String, String)] = []
    if let since = machine.since { pairs.append(("Since", moment(since))) }
    if let boot = machine.boot {
      let text = "\(boot.stage.rawValue): \(boot.sentence)"
      pairs.append(("Stage", style.paint(sanitized(text), boot.isStuck ? .bad : .plain)))
    }
    if let reason = machine.reason { pairs.append(("Because", sanitized(reason))) }
    let addresses = machine.addresses.map(sanitized).joined(separator: ", ")
    pairs.append(("Addresses", addresses.isEmpty ? "-" : addresses))
    let ports = MachinePorts.texts(resource).joined(separator: ", ")
    pairs.append(("Ports", ports.isEmpty ? "-" : ports))
    if let accelerator = machine.accelerator { pairs.append(("Accelerator", accelerator)) }
    if let process = machine.processID { pairs.append(("Process", String(process))) }
    pairs.append(("Restarts", String(machine.restarts)))
    return pairs
  }

  private func conditions(_ resource: ObservedResource) -> [String] {
    var table = Table(columns: ["CONDITION", "STATUS", "REASON"].map { Table.Column($0) })
    table.indent = 2
    table.rows = resource.conditions.map { condition in
      let isGood = condition.isTrue == (condition.name == .ready)
      let isNews = [.ready, .restartRequired, .stuck].contains(condition.name)
      let ink: Style.Ink = !isNews ? .plain : isGood ? .good : .caution
      return [
        Table.Cell(condition.name.rawValue), Table.Cell(condition.status, ink),
        Table.Cell(condition.reason),
      ]
    }
    return table.lines(width: nil, style: style)
  }

  private func interfaces(_ resource: ObservedResource) -> [String] {
    // A record that doesn't read is told by its fields below.
    guard let spec = try? MachineSpecification(resource.resource.spec), !spec.interfaces.isEmpty
    else { return [] }
    let titles = ["INTERFACE", "NETWORK", "LINK", "MAC", "ADDRESSES"]
    var table = Table(columns: titles.map { Table.Column($0) })
    table.indent = 2
    table.rows = MachineAddresses.interfaces(resource, spec).map { interface in
      [
        Table.Cell(interface.name, .strong), Table.Cell(interface.network),
        interface.isConnected ? "up" : Table.Cell("down", .caution),
        Table.Cell(interface.mac ?? "-"),
        Table.Cell(
          interface.addresses.isEmpty ? "-" : interface.addresses.joined(separator: ",")),
      ]
    }
    return table.lines(width: nil, style: style)
  }

  /// The details without those that stand in a line or a table of their own.
  private func shownDetails(_ resource: ObservedResource) -> JSONValue {
    var details = resource.details
    if resource.machine != nil {
      for name in ["interfaces", "ports"] where details[name] != nil { details[name] = nil }
    }
    return details
  }

  private func specification(_ resource: ObservedResource) -> [String] {
    let fields = Schema.table(for: resource.resource.id.kind).fields
    return tree(FieldType.object(fields).humanized(resource.resource.spec), indent: 2)
  }

  private func eventLines(_ events: [EngineEvent]) -> [String] {
    guard !events.isEmpty else { return ["  none"] }
    return events.map { event in
      "  \(padded(ageText(now - event.time) + " ago", to: 9))  "
        + "\(padded(event.reason, to: 14))  \(EventView.sentence(event))"
    }
  }

  /// A value as indented lines, in the manner of YAML, for reading only.
  private func tree(_ value: JSONValue, indent: Int) -> [String] {
    let lead = String(repeating: " ", count: indent)
    guard let members = value.object?.members else { return [lead + leaf(value)] }
    return members.filter { !$0.value.isNull }.flatMap { member -> [String] in
      switch member.value {
      case .object(let object) where !object.isEmpty:
        return ["\(lead)\(member.name):"] + tree(member.value, indent: indent + 2)
      case .array(let items) where items.contains(where: { $0.object != nil }):
        return ["\(lead)\(member.name):"]
          + items.flatMap { item -> [String] in
            let lines = tree(item, indent: indent + 4)
            guard let first = lines.first else { return [] }
            return ["\(lead)  - \(first.dropFirst(indent + 4))"] + lines.dropFirst()
          }
      case .string(let text) where text.contains("\n"):
        let rows = text.split(separator: "\n", omittingEmptySubsequences: false)
        return ["\(lead)\(member.name): |"] + rows.map { "\(lead)  \(sanitized(String($0)))" }
      default: return ["\(lead)\(member.name): \(leaf(member.value))"]
      }
    }
  }

  private func leaf(_ value: JSONValue) -> String {
    sanitized(FieldType.any.text(of: value))
  }

  private func aligned(_ pairs: [(String, String)]) -> [String] {
    let width = (pairs.map { displayWidth($0.0) }.max() ?? 0) + 2
    return pairs.map { style.paint(padded("\($0.0):", to: width), .faint) + $0.1 }
  }

  private func heading(_ text: String) -> String { style.paint("\(text):", .strong) }

  private func moment(_ seconds: Int64) -> String {
    "\(Timestamp(seconds: seconds)) (\(ageText(now - seconds)) ago)"
  }
}
