/// The map for a terminal: each network is a lane that runs down the left side, each machine a
/// bracket whose interfaces reach over to their lanes.
///
/// ```
/// lab  nat  10.77.0.0/24  up
/// │  back  isolated  10.78.0.0/24  up
/// │  │  ┌─ web1  Running  1 CPU, 512Mi
/// ●──┼──┤  lan  10.77.0.11  8080->80
/// │  ●──┘  ops  10.78.0.11
/// ```
struct MapText {
  private let map: HostMap
  private let lanes: [Lane]
  private let nameWidth: Int

  private struct Lane {
    var network: String
    var stroke: String
    var ink: Style.Ink
  }

  /// Draws a map.
  init(_ map: HostMap) {
    self.map = map
    lanes = map.networks.map { network in
      let isWell = network.problem == nil && network.state.ink != .bad
      return Lane(
        network: network.name, stroke: network.isSegment ? "│" : "┊",
        ink: isWell ? .note : .bad)
    }
    let names = map.host.allMachines.flatMap(\.interfaces).map { displayWidth($0.name) }
    nameWidth = names.max() ?? 0
  }

  /// The lines.
  ///
  /// - Parameter width: what the terminal has; nil cuts nothing.
  func lines(width: Int?, style: Style) -> [String] {
    var lines = [title(map.host, word: "host")]
    if !map.networks.isEmpty { lines.append(PaintedLine()) }
    lines += map.networks.enumerated().flatMap { header($1, lane: $0) }
    lines += map.host.machines.flatMap { machine($0, depth: 0) }
    lines += map.host.pools.flatMap { pool($0, depth: 0) }
    return lines.map { $0.text(width: width, style: style) }
  }

  private func title(_ pool: HostMap.Pool, word: String) -> PaintedLine {
    var line = PaintedLine()
    line.add("\(word) ", .faint)
    line.add(pool.name, .strong)
    for fact in pool.facts { line.add("  \(fact)") }
    return line
  }

  /// The network's name at the top of its lane.
  private func header(_ network: HostMap.Network, lane: Int) -> [PaintedLine] {
    var line = strokes(lanes.prefix(lane))
    line.add(network.name, .strong)
    for fact in network.facts { line.add("  \(fact)") }
    if network.isSegment { line.add("  \(network.state.text)", network.state.ink) }
    guard let problem = network.problem else { return [line] }
    var below = strokes(lanes.prefix(lane + 1))
    below.add(problem, .bad)
    return [line, below]
  }

  private func pool(_ pool: HostMap.Pool, depth: Int) -> [PaintedLine] {
    var head = strokes(lanes[...])
    head.add(indent(depth))
    head += title(pool, word: "pool")
    return [strokes(lanes[...]), head]
      + pool.machines.flatMap { machine($0, depth: depth + 1) }
      + pool.pools.flatMap { self.pool($0, depth: depth + 1) }
  }

  private func machine(_ machine: HostMap.Machine, depth: Int) -> [PaintedLine] {
    var head = strokes(lanes[...])
    head.add("\(indent(depth))\(machine.interfaces.isEmpty ? "╶" : "┌")─ ")
    head.add(machine.name, .strong)
    head.add("  ")
    head.add(machine.state.text, machine.state.ink)
    head.add("  \(machine.size)")
    let disks = machine.disks.map(\.text).joined(separator: ", ")
    if !disks.isEmpty { head.add("  \(disks)", .faint) }
    let last = machine.interfaces.count - 1
    return [head]
      + machine.interfaces.enumerated().map { index, interface in
        row(interface, corner: index == last ? "┘" : "┤", depth: depth)
      }
  }

  private func row(
    _ interface: HostMap.Interface, corner: String, depth: Int
  ) -> PaintedLine {
    let cable = interface.isConnected ? "─" : "╌"
    var line = PaintedLine()
    if let lane = lanes.firstIndex(where: { $0.network == interface.network }) {
      let ink = lanes[lane].ink
      line = strokes(lanes.prefix(lane))
      line.add("\(interface.isConnected ? "●" : "○")\(cable)\(cable)", ink)
      for crossed in lanes.dropFirst(lane + 1) {
        line.add("┼", crossed.ink)
        line.add(cable + cable, ink)
      }
      line.add(String(repeating: cable, count: 2 * depth), ink)
    } else {
      // The network was left out of the map.
      line = strokes(lanes[...])
      line.add(indent(depth))
    }
    line.add("\(corner)  \(padded(interface.name, to: nameWidth))")
    if !interface.isConnected { line.add("  unplugged", .caution) }
    for address in interface.addresses { line.add("  \(address)") }
    for port in interface.ports { line.add("  \(port.text)", .note) }
    return line
  }

  private func strokes(_ lanes: ArraySlice<Lane>) -> PaintedLine {
    var line = PaintedLine()
    for lane in lanes { line.add("\(lane.stroke)  ", lane.ink) }
    return line
  }

  private func indent(_ depth: Int) -> String { String(repeating: "  ", count: depth) }
}
