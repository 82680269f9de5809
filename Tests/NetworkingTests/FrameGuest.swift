import Glibc
import Networking
import SystemIO

/// A guest at the other end of a tap, made of frames: it asks for an address, answers for it and
/// accepts connections.
final class FrameGuest {
  private static let host = HostContext.live()
  let tap: Descriptor
  let mac: [UInt8]
  private(set) var address: [UInt8] = []
  /// Frames received, most of them not looked at.
  private(set) var frames = 0

  init(_ tap: Descriptor, mac: String) {
    self.tap = tap
    self.mac = mac.split(separator: ":").compactMap { UInt8($0, radix: 16) }
  }

  // MARK: Frames

  func send(_ destination: [UInt8], _ type: [UInt8], _ content: [UInt8]) throws {
    var frame = [UInt8](repeating: 0, count: TapDevice.headerSize) + destination + mac + type
    frame += content
    try frame.withUnsafeBytes { try tap.write($0) }
  }

  /// The next frame from the 12 bytes of its addresses on; nil when the time is over.
  private func receive(until end: UInt64) throws -> [UInt8]? {
    while true {
      let now = Self.host.uptime()
      guard now < end else { return nil }
      var entries = [PollEntry(tap.raw, wantsRead: true)]
      try poll(&entries, milliseconds: Int32((end - now) / 1_000_000 + 1))
      guard entries[0].canRead else { continue }
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 70_000, alignment: 16)
      defer { buffer.deallocate() }
      let count = try tap.read(into: buffer)
      frames += 1
      let frame = Array(buffer[min(count, TapDevice.headerSize)..<count])
      if frame.count < 14 { continue }
      if try answerARP(frame) { continue }
      return frame
    }
  }

  /// The first frame that `body` makes something of.
  func wait<Value>(milliseconds: Int, _ body: ([UInt8]) throws -> Value?) throws -> Value? {
    let end = Self.host.uptime() + UInt64(milliseconds) * 1_000_000
    while let frame = try receive(until: end) {
      if let value = try body(frame) { return value }
    }
    return nil
  }

  // MARK: ARP

  private func answerARP(_ frame: [UInt8]) throws -> Bool {
    guard frame.count >= 42, frame[12...13] == [8, 6], frame[20...21] == [0, 1], !address.isEmpty,
      Array(frame[38..<42]) == address
    else { return false }
    try send(
      Array(frame[6..<12]), [8, 6],
      [0, 1, 8, 0, 6, 4, 0, 2] + mac + address + frame[22..<32])
    return true
  }

  /// Asks who has an address; nil where nobody answers.
  func resolve(_ target: [UInt8], milliseconds: Int = 1000) throws -> [UInt8]? {
    try send(
      [UInt8](repeating: 255, count: 6), [8, 6],
      [0, 1, 8, 0, 6, 4, 0, 1] + mac + address + [0, 0, 0, 0, 0, 0] + target)
    return try wait(milliseconds: milliseconds) { frame in
      guard frame.count >= 42, frame[12...13] == [8, 6], frame[20...21] == [0, 2],
        Array(frame[28..<32]) == target
      else { return nil }
      return Array(frame[22..<28])
    }
  }

  // MARK: DHCP

  /// Gets an address as a guest does; nil where nobody gives one.
  ///
  /// - Returns: the address and the options that came with it.
  func configure(milliseconds: Int = 3000) throws -> (address: [UInt8], options: [UInt8: [UInt8]])?
  {
    let end = Self.host.uptime() + UInt64(milliseconds) * 1_000_000
    while Self.host.uptime() < end {
      try send(dhcp: [53, 1, 1, 55, 4, 1, 3, 6, 26])
      guard let offer = try waitForDHCP(type: 2, milliseconds: 500) else { continue }
      guard let server = offer.options[54] else { return nil }
      try send(dhcp: [53, 1, 3, 50, 4] + offer.address + [54, 4] + server + [55, 4, 1, 3, 6, 26])
      guard let answer = try waitForDHCP(type: 5, milliseconds: 500) else { continue }
      address = answer.address
      return answer
    }
    return nil
  }

  private func send(dhcp options: [UInt8]) throws {
    var message: [UInt8] = [1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78, 0, 0, 0x80, 0]
    message += [UInt8](repeating: 0, count: 16) + mac + [UInt8](repeating: 0, count: 10 + 192)
    message += [0x63, 0x82, 0x53, 0x63] + options + [255]
    message += [UInt8](repeating: 0, count: max(0, 300 - message.count))
    let length = UInt16(message.count + 8)
    let udp: [UInt8] = [0, 68, 0, 67] + length.bytes + [0, 0]
    let packet = Self.packet(17, from: [0, 0, 0, 0], to: [255, 255, 255, 255], udp + message)
    try send([UInt8](repeating: 255, count: 6), [8, 0], packet)
  }

  private func waitForDHCP(
    type: UInt8, milliseconds: Int
  ) throws -> (address: [UInt8], options: [UInt8: [UInt8]])? {
    try wait(milliseconds: milliseconds) { frame in
      guard frame.count > 42 + 240, frame[12...13] == [8, 0], frame[23] == 17,
        frame[36...37] == [0, 68], frame[46...49] == [0x12, 0x34, 0x56, 0x78]
      else { return nil }
      let message = Array(frame[42...])
      var options: [UInt8: [UInt8]] = [:]
      var rest = message[240...]
      while let code = rest.popFirst(), code != 255 {
        guard code != 0, let count = rest.popFirst() else { continue }
        options[code] = Array(rest.prefix(Int(count)))
        rest = rest.dropFirst(Int(count))
      }
      return options[53] == [type] ? (Array(message[16..<20]), options) : nil
    }
  }

  // MARK: TCP

  /// Accepts the next connection to a port; false where none comes.
  func accept(port: UInt16, milliseconds: Int) throws -> Bool {
    try wait(milliseconds: milliseconds) { frame in
      guard frame.count >= 54, frame[12...13] == [8, 0], frame[23] == 6,
        Array(frame[36...37]) == port.bytes
      else { return nil }
      let isSYN = frame[47] & 0x12 == 2
      // The handshake's last part.
      guard isSYN else { return true }
      let number = frame[38...41].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } &+ 1
      let peer = Array(frame[26..<30])
      var segment: [UInt8] = port.bytes + frame[34...35] + [0, 0, 0, 1] + number.bytes
      segment += [0x50, 0x12, 0x20, 0, 0, 0, 0, 0]
      let pseudo = address + peer + [0, 6, 0, UInt8(segment.count)]
      segment.replaceSubrange(16..<18, with: Self.checksum(pseudo + segment))
      try send(Array(frame[6..<12]), [8, 0], Self.packet(6, from: address, to: peer, segment))
      return nil
    } ?? false
  }

  /// Begins a connection through a router; whether somebody accepts it.
  func connect(
    to target: [UInt8], port: UInt16, router: [UInt8], milliseconds: Int
  ) throws -> Bool {
    guard let routerMAC = try resolve(router) else { return false }
    let own = UInt16(40_000 + frames % 20_000)
    var segment: [UInt8] = own.bytes + port.bytes + [0, 0, 0, 1, 0, 0, 0, 0]
    segment += [0x50, 0x02, 0x20, 0, 0, 0, 0, 0]
    let pseudo = address + target + [0, 6, 0, UInt8(segment.count)]
    segment.replaceSubrange(16..<18, with: Self.checksum(pseudo + segment))
    try send(routerMAC, [8, 0], Self.packet(6, from: address, to: target, segment))
    return try wait(milliseconds: milliseconds) { frame in
      guard frame.count >= 54, frame[12...13] == [8, 0], frame[23] == 6,
        Array(frame[26..<30]) == target, Array(frame[36...37]) == own.bytes
      else { return nil }
      // A SYN with an ACK; a reset says that nobody listens.
      return frame[47] & 0x3f == 0x12
    } ?? false
  }

  private static func packet(
    _ transport: UInt8, from source: [UInt8], to destination: [UInt8], _ content: [UInt8]
  ) -> [UInt8] {
    var header: [UInt8] =
      [0x45, 0] + UInt16(20 + content.count).bytes + [0, 0, 0, 0, 64, transport]
    header += [0, 0] + source + destination
    header.replaceSubrange(10..<12, with: checksum(header))
    return header + content
  }

  private static func checksum(_ bytes: [UInt8]) -> [UInt8] {
    var sum: UInt32 = 0
    for index in stride(from: 0, to: bytes.count, by: 2) {
      sum += UInt32(bytes[index]) << 8 | (index + 1 < bytes.count ? UInt32(bytes[index + 1]) : 0)
    }
    while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
    return (~UInt16(sum)).bytes
  }
}

extension FixedWidthInteger {
  /// Its bytes, the highest first.
  fileprivate var bytes: [UInt8] { withUnsafeBytes(of: bigEndian) { Array($0) } }
}
