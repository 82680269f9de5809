/// The map as a graph for Graphviz: a cluster a pool, a node a machine and a network, an edge an
/// interface.
struct MapDOT {
  private let map: HostMap

  /// Draws a map.
  init(_ map: HostMap) { self.map = map }

  /// The lines.
  var lines: [String] {
    var lines = [
      "graph ingot {",
      "  graph [rankdir=TB, ranksep=0.8, nodesep=0.4, fontname=\"Helvetica\", compound=true];",
      "  node [fontname=\"Helvetica\", fontsize=11, style=\"filled,rounded\", shape=box];",
      "  edge [fontname=\"Helvetica\", fontsize=9];",
    ]
    lines += cluster(map.host, id: "host", depth: 1)
    for network in map.networks {
      let border = network.isSegment ? "solid" : "dashed"
      let label = [network.name] + network.facts + (network.problem.map { [$0] } ?? [])
      lines.append(
        "  \(quoted("net/" + network.name)) [label=\(quoted(label)), style=\"filled,\(border)\", "
          + "fillcolor=\"\(network.problem == nil ? "#dbeafe" : "#fee2e2")\", width=3];")
    }
    for machine in map.host.allMachines {
      for interface in machine.interfaces {
        guard map.networks.contains(where: { $0.name == interface.network }) else { continue }
        let label = [interface.name] + interface.addresses + interface.ports.map(\.text)
        lines.append(
          "  \(quoted("vm/" + machine.name)) -- \(quoted("net/" + interface.network)) "
            + "[label=\(quoted(label))\(interface.isConnected ? "" : ", style=dashed")];")
      }
    }
    return lines + ["}"]
  }

  private func cluster(_ pool: HostMap.Pool, id: String, depth: Int) -> [String] {
    let lead = String(repeating: "  ", count: depth)
    let label = [([pool.name] + pool.facts).joined(separator: ", ")]
    var lines = [
      "\(lead)subgraph \(quoted("cluster_" + id)) {",
      "\(lead)  graph [label=\(quoted(label)), labeljust=l, style=rounded, color=\"#94a3b8\"];",
    ]
    for machine in pool.machines {
      let disks = machine.disks.map(\.text).joined(separator: ", ")
      let label = [machine.name, machine.state.text, machine.size] + (disks.isEmpty ? [] : [disks])
      lines.append(
        "\(lead)  \(quoted("vm/" + machine.name)) [label=\(quoted(label)), "
          + "fillcolor=\"\(fill(machine.state.ink))\"];")
    }
    for child in pool.pools {
      lines += cluster(child, id: "\(id)/\(child.name)", depth: depth + 1)
    }
    return lines + ["\(lead)}"]
  }

  private func fill(_ ink: Style.Ink) -> String {
    switch ink {
    case .good: "#dcfce7"
    case .caution: "#fef3c7"
    case .bad: "#fee2e2"
    case .plain, .strong, .faint, .note: "#f1f5f9"
    }
  }

  /// A string of the DOT language; `\n` between the lines of a label, and no other escape than
  /// those of the quote and the backslash, which labels would take for more.
  private func quoted(_ rows: [String]) -> String {
    let texts = rows.map { row in
      sanitized(row).map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined()
    }
    return "\"\(texts.joined(separator: "\\n"))\""
  }

  private func quoted(_ text: String) -> String { quoted([text]) }
}
