internal import EngineInterface
internal import JSON
internal import Resources

/// What `describe` tells of a network beside what it tells of everything.
struct NetworkView {
  /// How text is painted.
  var style: Style
  /// Seconds since 1970, for when leases end.
  var now: Int64
  /// The machines that are plugged into it, by name.
  var users: [String]

  /// The pairs at the top.
  func pairs(_ resource: ObservedResource) -> [(String, String)] {
    let network = NetworkDetails(resource)
    var pairs: [(String, String)] = []
    func add(_ name: String, _ value: String?) {
      if let value, !value.isEmpty { pairs.append((name, sanitized(value))) }
    }
    add("Mode", resource.resource.spec["mode"]?.string)
    if network.problem != resource.reason, let problem = network.problem {
      pairs.append(("Problem", style.paint(sanitized(problem), .bad)))
    }
    add("Subnet", network.subnets.joined(separator: ", "))
    add("Gateway", network.gateways.joined(separator: ", "))
    add("Domain", network.domain)
    add("MTU", network.mtu.map(String.init))
    add("Uplink", network.uplink)
    add("Namespace", network.namespace.map { "net:[\($0)]" })
    add("Directory", network.directory)
    if network.members.isEmpty { add("Used by", users.joined(separator: ", ")) }
    return pairs
  }

  /// The tables: who is plugged in, what is given out, what serves it; empty ones are left out.
  func sections(_ resource: ObservedResource) -> [(heading: String, lines: [String])] {
    let network = NetworkDetails(resource)
    let tables = [
      ("Members", members(network)), ("Ports of the host", forwards(network)),
      ("Leases", leases(network)), ("Processes", processes(network)),
    ]
    return tables.filter { !$0.1.rows.isEmpty }.map { heading, table in
      var table = table
      table.indent = 2
      return (heading, table.lines(width: nil, style: style))
    }
  }

  private func members(_ network: NetworkDetails) -> Table {
    table(["MACHINE", "INTERFACE", "LINK", "MAC", "ADDRESSES", "NAME", "RECEIVED", "SENT"]) {
      network.members.map { member in
        [
          Table.Cell(member.machine, .strong), Table.Cell(member.interface), link(member),
          cell(member.mac), cell(member.addresses.joined(separator: ",")), cell(member.name),
          cell(member.received.map(sizeText)), cell(member.sent.map(sizeText)),
        ]
      }
    }
  }

  private func link(_ member: NetworkDetails.Member) -> Table.Cell {
    if !member.isConnected { return Table.Cell("down", .caution) }
    return member.isPlugged ? Table.Cell("up", .good) : "-"
  }

  private func forwards(_ network: NetworkDetails) -> Table {
    table(["ADDRESS", "PORT", "TO", "PROBLEM"]) {
      network.members.flatMap { member in
        member.forwards.map { forward, problem in
          [
            Table.Cell(forward.address),
            Table.Cell((forward.host.map(String.init) ?? "?") + "/\(forward.networkProtocol)"),
            Table.Cell("\(member.machine):\(forward.guest)"), Table.Cell(problem ?? "", .bad),
          ]
        }
      }
    }
  }

  private func leases(_ network: NetworkDetails) -> Table {
    table(["ADDRESS", "MAC", "NAME", "ENDS"]) {
      network.leases.map { lease in
        let end = lease.expires.map { $0 <= now ? "over" : "in \(ageText($0 - now))" }
        return [Table.Cell(lease.address), Table.Cell(lease.mac), cell(lease.name), cell(end)]
      }
    }
  }

  private func processes(_ network: NetworkDetails) -> Table {
    table(["PROCESS", "PID", "RESTARTS"]) {
      network.processes.map { process in
        [
          Table.Cell(process.name), cell(process.id.map(String.init)),
          Table.Cell(String(process.restarts), process.restarts > 0 ? .caution : .plain),
        ]
      }
    }
  }

  private func table(_ titles: [String], _ rows: () -> [[Table.Cell]]) -> Table {
    Table(columns: titles.map { Table.Column($0) }, rows: rows())
  }

  private func cell(_ text: String?) -> Table.Cell {
    guard let text, !text.isEmpty else { return "-" }
    return Table.Cell(text)
  }
}
