/// Where everything of a map stands in a picture, in whole pixels.
///
/// Machines are cards that stand in rows; pools are boxes around them. Each network has a lane
/// that runs down the left side and, below each row that it is used in, a bar from the lane to
/// the machines.
struct MapLayout {
  /// A rectangle.
  struct Rectangle: Hashable {
    var x: Int
    var y: Int
    var width: Int
    var height: Int
    /// The lower edge.
    var bottom: Int { y + height }
    /// The right edge.
    var right: Int { x + width }
  }

  /// A machine's card.
  struct Card {
    var machine: HostMap.Machine
    var frame: Rectangle
  }

  /// A pool's box.
  struct Box {
    var pool: HostMap.Pool
    var frame: Rectangle
  }

  /// The line from an interface down to its network's bar.
  struct Drop: Hashable {
    var x: Int
    var top: Int
    var isConnected: Bool
  }

  /// A network's bar below a row of machines.
  struct Bar {
    /// The index of the network.
    var network: Int
    var y: Int
    var drops: [Drop]
    /// Where it ends.
    var end: Int { (drops.map(\.x).max() ?? 0) + 14 }
  }

  /// The cards, boxes and bars, each from the outside to the inside and from the top down.
  private(set) var cards: [Card] = []
  private(set) var boxes: [Box] = []
  private(set) var bars: [Bar] = []
  /// The frame of the host.
  private(set) var host = Rectangle(x: 24, y: 24, width: 0, height: 0)
  /// The picture's size.
  var size: (width: Int, height: Int) { (host.right + 24, host.bottom + 24) }

  private let map: HostMap
  private let lanes: [String: Int]

  static let padding = 16
  static let titleHeight = 34
  static let headerHeight = 24
  static let laneWidth = 20
  static let cardWidth = 280
  private static let gap = 18
  private static let barHeight = 20

  /// Lays out a map.
  init(_ map: HostMap) {
    self.map = map
    lanes = Dictionary(
      map.networks.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    let columns = Self.columns(map.host.allMachines.count)
    let available = columns * Self.cardWidth + (columns - 1) * Self.gap + 4 * Self.padding
    let left = host.x + 2 * Self.padding + map.networks.count * Self.laneWidth
    let top = host.y + Self.titleHeight + map.networks.count * Self.headerHeight + Self.gap
    let content = place(sections(of: map.host, available), x: left, y: top)
    let header = map.networks.enumerated().map { index, network in
      headerX(index) + Self.textWidth(Self.header(network), size: 12) + 24
    }.max()
    let labels = bars.map { $0.end + 8 + Self.textWidth(map.networks[$0.network].name, size: 12) }
    let right = [
      left + content.width, header ?? 0, host.x + Self.titleWidth(map.host), labels.max() ?? 0,
    ]
    host.width = (right.max() ?? 0) - host.x + Self.padding
    host.height = top + content.height - host.y + 2 * Self.padding
  }

  /// The text behind a network's name at the top of its lane.
  static func header(_ network: HostMap.Network) -> String {
    var words = [network.name] + network.facts
    if network.isSegment { words.append(network.state.text) }
    if let problem = network.problem { words.append(problem) }
    return words.joined(separator: "   ")
  }

  /// Where the lane of a network runs.
  func headerX(_ network: Int) -> Int { host.x + Self.padding + 8 + network * Self.laneWidth }

  /// The middle of the line in which a network's lane begins.
  func headerY(_ network: Int) -> Int {
    host.y + Self.titleHeight + network * Self.headerHeight + Self.headerHeight / 2
  }

  /// Where the drops of a machine's interfaces leave its card.
  static func dropX(_ card: Card, _ interface: Int) -> Int {
    let step = min(30, (card.frame.width - 40) / max(1, card.machine.interfaces.count))
    return card.frame.x + 20 + interface * step
  }

  /// The columns that a text takes at most, with what fonts commonly need.
  static func textWidth(_ text: String, size: Int) -> Int {
    (displayWidth(text) * size * 62 + 99) / 100
  }

  private static func titleWidth(_ pool: HostMap.Pool) -> Int {
    textWidth(([pool.name] + pool.facts).joined(separator: "   "), size: 13) + 2 * padding
  }

  /// As many that the picture is about as wide as it is high.
  private static func columns(_ count: Int) -> Int {
    var columns = 3
    while columns < 12, columns * columns < count { columns += 1 }
    return columns
  }
}

// MARK: - Rows and boxes

extension MapLayout {
  /// What stands in one row: a card, or a pool all of whose machines fit side by side.
  private indirect enum Item {
    case card(HostMap.Machine)
    case box(HostMap.Pool, [Item])
  }

  /// A row with the bars below it, or a box around several.
  private indirect enum Section {
    case row([Item])
    case box(HostMap.Pool, [Section])
  }

  private func sections(of pool: HostMap.Pool, _ available: Int) -> [Section] {
    var done: [Section] = []
    var row: [Item] = []
    func add(_ item: Item) {
      if !row.isEmpty, width(row + [item]) > available {
        done.append(.row(row))
        row = []
      }
      row.append(item)
    }
    for machine in pool.machines { add(.card(machine)) }
    for child in pool.pools {
      let item = item(child)
      if width(item) <= available {
        add(item)
      } else {
        if !row.isEmpty { done.append(.row(row)) }
        row = []
        done.append(.box(child, sections(of: child, available - 2 * Self.padding)))
      }
    }
    return row.isEmpty ? done : done + [.row(row)]
  }

  private func item(_ pool: HostMap.Pool) -> Item {
    .box(pool, pool.machines.map { .card($0) } + pool.pools.map(item))
  }

  private func width(_ items: [Item]) -> Int {
    items.reduce(0) { $0 + width($1) } + max(0, items.count - 1) * Self.gap
  }

  private func width(_ item: Item) -> Int {
    switch item {
    case .card: Self.cardWidth
    case .box(let pool, let items):
      max(width(items) + 2 * Self.padding, Self.titleWidth(pool))
    }
  }

  private func height(_ item: Item) -> Int {
    switch item {
    case .card(let machine): MachineCard(machine).height
    case .box(_, let items):
      Self.titleHeight + (items.map(height).max() ?? Self.padding) + Self.padding
    }
  }

  private mutating func place(
    _ sections: [Section], x: Int, y: Int
  ) -> (width: Int, height: Int) {
    var bottom = y
    var right = x
    for (index, section) in sections.enumerated() {
      if index > 0 { bottom += Self.gap }
      switch section {
      case .row(let items):
        right = max(right, x + width(items))
        bottom = place(row: items, x: x, y: bottom)
      case .box(let pool, let inner):
        let place = boxes.count
        boxes.append(Box(pool: pool, frame: Rectangle(x: x, y: bottom, width: 0, height: 0)))
        let size = self.place(inner, x: x + Self.padding, y: bottom + Self.titleHeight)
        let width = max(size.width + 2 * Self.padding, Self.titleWidth(pool))
        let height = Self.titleHeight + size.height + Self.padding
        boxes[place].frame = Rectangle(x: x, y: bottom, width: width, height: height)
        right = max(right, x + width)
        bottom += height
      }
    }
    return (right - x, bottom - y)
  }

  /// Places a row and the bars below it; gives where they end.
  private mutating func place(row: [Item], x: Int, y: Int) -> Int {
    let height = row.map(height).max() ?? 0
    let first = cards.count
    place(items: row, x: x, y: y, height: height)
    var drops: [Int: [Drop]] = [:]
    for card in cards[first...] {
      for (index, interface) in card.machine.interfaces.enumerated() {
        guard let lane = lanes[interface.network] else { continue }
        drops[lane, default: []].append(
          Drop(
            x: Self.dropX(card, index), top: card.frame.bottom,
            isConnected: interface.isConnected))
      }
    }
    var bottom = y + height
    // The rightmost lane ends first, so that no other bar has to cross its end.
    for lane in lanes.values.sorted(by: >) {
      guard let drops = drops[lane] else { continue }
      bottom += bottom == y + height ? Self.barHeight + 6 : Self.barHeight
      bars.append(Bar(network: lane, y: bottom, drops: drops))
    }
    return bottom
  }

  private mutating func place(items: [Item], x: Int, y: Int, height: Int) {
    var x = x
    for item in items {
      let frame = Rectangle(x: x, y: y, width: width(item), height: height)
      switch item {
      case .card(let machine): cards.append(Card(machine: machine, frame: frame))
      case .box(let pool, let inner):
        boxes.append(Box(pool: pool, frame: frame))
        place(
          items: inner, x: x + Self.padding, y: y + Self.titleHeight,
          height: height - Self.titleHeight - Self.padding)
      }
      x = frame.right + Self.gap
    }
  }
}
