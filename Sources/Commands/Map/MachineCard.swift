internal import Resources

/// What stands on a machine's card in a picture: rows of text and how high they are together.
struct MachineCard {
  /// A row below the name.
  struct Row: Hashable {
    /// What it tells.
    enum Sort: Hashable {
      case size
      case disk
      /// The name of an interface, by its index, and its first address.
      case interface(Int)
      case address
      case port
    }
    var sort: Sort
    var text: String
  }

  /// Size and disks, from the top down.
  let upper: [Row]
  /// Interfaces, down to the plugs at the lower edge.
  let lower: [Row]
  /// Where the first row's text stands below the card's top.
  static let top = 44
  /// From row to row.
  static let step = 17
  /// From the last row's text to the card's lower edge.
  static let end = 14
  /// Between the two parts.
  private static let gap = 10
  /// As many disks, and as many ports of an interface, as are listed; the rest is counted.
  private static let limit = 4

  /// Reads a machine.
  init(_ machine: HostMap.Machine) {
    let size = machine.size + (machine.image.map { ", \($0)" } ?? "")
    upper =
      [Row(sort: .size, text: size)]
      + Self.listed(machine.disks.map(\.text)).map { Row(sort: .disk, text: $0) }
    lower = machine.interfaces.enumerated().flatMap { index, interface in
      let texts = (interface.isConnected ? [] : ["unplugged"]) + interface.addresses
      let ports = interface.ports.map { $0.text.replacing("->", with: " → ") }
      return [Row(sort: .interface(index), text: texts.first ?? "")]
        + texts.dropFirst().map { Row(sort: .address, text: $0) }
        + Self.listed(ports).map { Row(sort: .port, text: $0) }
    }
  }

  /// The least height of the card.
  var height: Int {
    let rows = upper.count + lower.count - 1
    return Self.top + rows * Self.step + Self.end + (lower.isEmpty ? 0 : Self.gap)
  }

  private static func listed(_ texts: [String]) -> [String] {
    guard texts.count > limit else { return texts }
    return texts.prefix(limit - 1) + ["and \(texts.count - limit + 1) more"]
  }
}
