internal import XML

/// The map as a picture in SVG 1.1.
struct MapSVG {
  private let map: HostMap
  private let layout: MapLayout

  /// Draws a map.
  init(_ map: HostMap) {
    self.map = map
    layout = MapLayout(map)
  }

  /// The picture as a text.
  var document: String {
    let (width, height) = layout.size
    // What comes later covers what came before.
    let drawing: [XMLElement] = [
      XMLElement("title", text: "What runs on \(map.host.name)"),
      XMLElement("style", text: Self.style.joined(separator: " ")),
      XMLElement("rect", ["width": "\(width)", "height": "\(height)", "fill": "#f1f5f9"]),
      box(layout.host, class: "host", radius: 12),
      title(map.host, at: layout.host, class: "name"),
    ]
    let networks =
      layout.boxes.map { box($0.frame, class: "pool", radius: 10) }
      + map.networks.indices.flatMap(lane) + layout.bars.flatMap(bar)
      + layout.bars.flatMap { bar in bar.drops.flatMap { drop($0, bar) } }
      + layout.bars.map(label)
      + map.networks.indices.flatMap(header)
    let machines =
      layout.boxes.map { title($0.pool, at: $0.frame, class: "strong") } + layout.cards.map(card)
    return XMLElement(
      "svg",
      [
        "xmlns": "http://www.w3.org/2000/svg", "width": "\(width)", "height": "\(height)",
        "viewBox": "0 0 \(width) \(height)", "role": "img",
      ], drawing + networks + machines
    ).document()
  }

  private static let style = [
    "text { font-family: 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif;"
      + " font-size: 12px; fill: #334155; }",
    ".mono { font-family: ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace;"
      + " font-size: 11px; }",
    // So that a whole IPv6 address fits.
    ".small { font-size: 10px; }",
    ".name { font-size: 14px; font-weight: 600; fill: #0f172a; }",
    ".strong { font-size: 12px; font-weight: 600; fill: #0f172a; }",
    ".faint { fill: #64748b; }", ".host { fill: #ffffff; stroke: #94a3b8; stroke-width: 1.5; }",
    ".pool { fill: none; stroke: #94a3b8; stroke-dasharray: 5 4; }",
    ".card { fill: #f8fafc; stroke: #cbd5e1; }",
    // A wire of another network that passes below a label leaves it legible.
    ".label { paint-order: stroke; stroke: #ffffff; stroke-width: 4; }",
    ".halo { stroke: #ffffff; stroke-width: 8; fill: none; }",
    ".wire { fill: none; stroke-width: 2; }",
    ".bar { fill: none; stroke-width: 5; stroke-linecap: round; }",
    ".alone { stroke-width: 2; stroke-dasharray: 2 5; }", ".unplugged { stroke-dasharray: 4 4; }",
  ]

  /// Colours that also people who see few of them can tell apart, dark enough for text.
  private static let palette = [
    "#1d4ed8", "#c2410c", "#047857", "#be185d", "#6d28d9", "#0e7490", "#4d7c0f", "#854d0e",
  ]

  private func color(_ network: Int) -> String { Self.palette[network % Self.palette.count] }

  private func color(_ ink: Style.Ink) -> String {
    switch ink {
    case .good: "#15803d"
    case .caution: "#b45309"
    case .bad: "#b91c1c"
    case .plain, .strong, .faint, .note: "#64748b"
    }
  }
}

// MARK: - Pools

extension MapSVG {
  private func box(_ frame: MapLayout.Rectangle, class name: String, radius: Int) -> XMLElement {
    XMLElement(
      "rect",
      [
        "class": name, "x": "\(frame.x)", "y": "\(frame.y)", "width": "\(frame.width)",
        "height": "\(frame.height)", "rx": "\(radius)",
      ])
  }

  private func title(
    _ pool: HostMap.Pool, at frame: MapLayout.Rectangle, class name: String
  ) -> XMLElement {
    let facts = pool.facts.joined(separator: ", ")
    return XMLElement(
      "text", ["x": "\(frame.x + MapLayout.padding)", "y": "\(frame.y + 22)"],
      [
        XMLElement("tspan", ["class": name], text: pool.name),
        XMLElement("tspan", ["class": "faint", "dx": "10"], text: facts),
      ])
  }
}

// MARK: - Networks

extension MapSVG {
  private func lane(_ network: Int) -> [XMLElement] {
    guard let last = layout.bars.last(where: { $0.network == network }) else { return [] }
    let x = layout.headerX(network)
    return [line(network, "M\(x) \(layout.headerY(network))V\(last.y)")]
  }

  private func bar(_ bar: MapLayout.Bar) -> [XMLElement] {
    let x = layout.headerX(bar.network)
    return [
      XMLElement("path", ["class": "halo", "d": "M\(x + 6) \(bar.y)H\(bar.end)"]),
      line(bar.network, "M\(x) \(bar.y)H\(bar.end)"),
    ]
  }

  private func label(_ bar: MapLayout.Bar) -> XMLElement {
    XMLElement(
      "text",
      [
        "class": "label", "x": "\(bar.end + 8)", "y": "\(bar.y + 4)",
        "style": "fill: \(color(bar.network))",
      ], text: map.networks[bar.network].name)
  }

  private func line(_ network: Int, _ path: String) -> XMLElement {
    let name = map.networks[network].isSegment ? "bar" : "bar alone"
    return XMLElement("path", ["class": name, "stroke": color(network), "d": path])
  }

  private func drop(_ drop: MapLayout.Drop, _ bar: MapLayout.Bar) -> [XMLElement] {
    let end = drop.isConnected ? bar.y : bar.y - 9
    let color = color(bar.network)
    return [
      XMLElement("path", ["class": "halo", "d": "M\(drop.x) \(drop.top + 2)V\(bar.y - 10)"]),
      XMLElement(
        "path",
        [
          "class": drop.isConnected ? "wire" : "wire unplugged", "stroke": color,
          "d": "M\(drop.x) \(drop.top)V\(end)",
        ]),
      XMLElement(
        "circle",
        [
          "cx": "\(drop.x)", "cy": "\(end)", "r": "5",
          "fill": drop.isConnected ? color : "#ffffff", "stroke": color, "stroke-width": "2",
        ]),
    ]
  }

  private func header(_ index: Int) -> [XMLElement] {
    let network = map.networks[index]
    let (x, y) = (layout.headerX(index), layout.headerY(index))
    var words = [XMLElement("tspan", ["class": "strong"], text: network.name)]
    words += network.facts.map { XMLElement("tspan", ["class": "mono", "dx": "12"], text: $0) }
    if network.isSegment { words.append(painted(network.state.text, network.state.ink)) }
    if let problem = network.problem { words.append(painted(sanitized(problem), .bad)) }
    return [
      XMLElement(
        "circle", ["cx": "\(x)", "cy": "\(y)", "r": "6", "fill": color(index), "stroke": "#ffffff"]
      ),
      XMLElement("text", ["x": "\(x + 14)", "y": "\(y + 4)"], words),
    ]
  }

  private func painted(_ text: String, _ ink: Style.Ink) -> XMLElement {
    XMLElement("tspan", ["dx": "12", "style": "fill: \(color(ink))"], text: text)
  }
}

// MARK: - Machines

extension MapSVG {
  private func card(_ card: MapLayout.Card) -> XMLElement {
    let rows = MachineCard(card.machine)
    var parts = head(card)
    for (index, row) in rows.upper.enumerated() {
      let y = card.frame.y + MachineCard.top + index * MachineCard.step
      parts += self.row(row, of: card, y: y)
    }
    for (index, row) in rows.lower.reversed().enumerated() {
      let y = card.frame.bottom - MachineCard.end - index * MachineCard.step
      parts += self.row(row, of: card, y: y)
      guard index == rows.lower.count - 1 else { continue }
      let line = "M\(card.frame.x + 12) \(y - 16)H\(card.frame.right - 12)"
      parts.append(XMLElement("path", ["d": line, "stroke": "#e2e8f0"]))
    }
    for (index, interface) in card.machine.interfaces.enumerated() {
      let x = MapLayout.dropX(card, index) - 6
      parts.append(plug(interface, x: x, y: card.frame.bottom - 5, height: 8))
    }
    return XMLElement("g", [:], parts)
  }

  private func head(_ card: MapLayout.Card) -> [XMLElement] {
    let (machine, frame) = (card.machine, card.frame)
    let ink = color(machine.state.ink)
    let room = frame.width - 52 - MapLayout.textWidth(machine.state.text, size: 12)
    return [
      XMLElement("title", text: "\(machine.name): \(machine.state.text)"),
      box(frame, class: "card", radius: 8),
      XMLElement(
        "circle", ["cx": "\(frame.x + 16)", "cy": "\(frame.y + 19)", "r": "5", "fill": ink]),
      text(machine.name, room, size: 14, x: frame.x + 28, y: frame.y + 24, class: "name"),
      XMLElement(
        "text",
        [
          "x": "\(frame.right - 12)", "y": "\(frame.y + 24)", "text-anchor": "end",
          "style": "fill: \(ink)",
        ], text: machine.state.text),
    ]
  }

  private func row(_ row: MachineCard.Row, of card: MapLayout.Card, y: Int) -> [XMLElement] {
    let left = card.frame.x + 12
    let room = card.frame.width - 24
    switch row.sort {
    case .size: return [text(row.text, room, size: 12, x: left, y: y, class: "faint")]
    case .disk:
      let cylinder =
        "M\(left + 4) \(y - 7)v6a5 2 0 0 0 10 0v-6a5 2 0 0 0 -10 0a5 2 0 0 0 10 0"
      return [
        XMLElement("path", ["fill": "none", "stroke": "#64748b", "d": cylinder]),
        text(row.text, room - 22, size: 12, x: left + 22, y: y, class: "faint"),
      ]
    case .interface(let index):
      let interface = card.machine.interfaces[index]
      // The addresses stand in one column, behind the longest name.
      let names = card.machine.interfaces.map { MapLayout.textWidth($0.name, size: 15) }
      let used = 22 + min(names.max() ?? 0, room / 3) + 6
      return [
        plug(interface, x: left + 3, y: y - 9, height: 9),
        text(interface.name, room / 3, size: 15, x: left + 22, y: y, class: "strong"),
        text(row.text, room - used, size: 11, x: left + used, y: y, class: "mono"),
      ]
    case .address:
      return [text(row.text, room - 22, size: 10, x: left + 22, y: y, class: "mono small")]
    case .port:
      return [text(row.text, room - 22, size: 11, x: left + 22, y: y, class: "mono faint")]
    }
  }

  private func plug(_ interface: HostMap.Interface, x: Int, y: Int, height: Int) -> XMLElement {
    let network = map.networks.firstIndex { $0.name == interface.network }
    return XMLElement(
      "rect",
      [
        "x": "\(x)", "y": "\(y)", "width": "12", "height": "\(height)", "rx": "2",
        "fill": network.map { color($0) } ?? "#94a3b8",
      ])
  }

  /// A text, cut so that it fits in any common font.
  private func text(
    _ text: String, _ room: Int, size: Int, x: Int, y: Int, class name: String
  ) -> XMLElement {
    let columns = max(1, room * 100 / (size * 62))
    return XMLElement(
      "text", ["class": name, "x": "\(x)", "y": "\(y)"],
      text: truncated(sanitized(text), to: columns))
  }
}
