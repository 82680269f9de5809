/// The map as a flowchart in Mermaid's language.
struct MapMermaid {
  private let map: HostMap
  private let machines: [HostMap.Machine]
  /// The numbers of the machines' nodes, by name.
  private let numbers: [String: Int]

  /// Draws a map.
  init(_ map: HostMap) {
    self.map = map
    machines = map.host.allMachines
    numbers = Dictionary(
      machines.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The lines.
  var lines: [String] {
    var lines = ["flowchart TB"] + group(map.host, id: "host", depth: 1)
    for (index, network) in map.networks.enumerated() {
      let rows = [network.name] + network.facts + (network.problem.map { [$0] } ?? [])
      let kind = network.problem == nil ? "net" : "bad"
      lines.append("  n\(index)([\(label(rows))]):::\(kind)")
    }
    for (index, machine) in machines.enumerated() {
      for interface in machine.interfaces {
        guard let network = map.networks.firstIndex(where: { $0.name == interface.network })
        else { continue }
        let rows = [interface.name] + interface.addresses + interface.ports.map(\.text)
        let line = interface.isConnected ? "---" : "-.-"
        lines.append("  m\(index) \(line)|\(label(rows))| n\(network)")
      }
    }
    return lines + [
      "  classDef good fill:#dcfce7,stroke:#15803d,color:#14532d",
      "  classDef caution fill:#fef3c7,stroke:#b45309,color:#78350f",
      "  classDef bad fill:#fee2e2,stroke:#b91c1c,color:#7f1d1d",
      "  classDef plain fill:#f1f5f9,stroke:#64748b,color:#334155",
      "  classDef net fill:#dbeafe,stroke:#1d4ed8,color:#1e3a8a",
    ]
  }

  private func group(_ pool: HostMap.Pool, id: String, depth: Int) -> [String] {
    let lead = String(repeating: "  ", count: depth)
    let title = ([pool.name] + pool.facts).joined(separator: ", ")
    var lines = ["\(lead)subgraph \(id)[\(label([title]))]"]
    for machine in pool.machines {
      let rows = [machine.name, machine.state.text, machine.size] + machine.disks.map(\.text)
      let node = "m\(numbers[machine.name] ?? 0)"
      lines.append("\(lead)  \(node)[\(label(rows))]:::\(word(machine.state.ink))")
    }
    for (index, child) in pool.pools.enumerated() {
      lines += group(child, id: "\(id)_\(index)", depth: depth + 1)
    }
    return lines + ["\(lead)end"]
  }

  private func word(_ ink: Style.Ink) -> String {
    switch ink {
    case .good: "good"
    case .caution: "caution"
    case .bad: "bad"
    case .plain, .strong, .faint, .note: "plain"
    }
  }

  /// A quoted label; what means something to Mermaid or HTML stands as an entity by its number.
  private func label(_ rows: [String]) -> String {
    let texts = rows.map { row in
      sanitized(row).unicodeScalars.map { scalar in
        "\"&<>#`\\".unicodeScalars.contains(scalar) ? "#\(scalar.value);" : String(scalar)
      }.joined()
    }
    return "\"\(texts.joined(separator: "<br/>"))\""
  }
}
