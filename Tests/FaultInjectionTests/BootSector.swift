/// A disk whose boot sector writes to the serial port, enables the power button, waits for it and
/// powers off.
enum BootSector {
  /// - Parameter byte: a byte that does not run, to tell disks apart.
  static func disk(ending byte: UInt8) -> [UInt8] {
    var code: [UInt8] = [0xba, 0xf8, 0x03]
    for character in "READY\r\n".utf8 { code += [0xb0, character, 0xee] }
    // PM1a_EN takes the button; PM1a_STS tells of it; sleep state 5 into PM1a_CNT.
    code += [
      0xfa, 0xba, 0x02, 0x06, 0xb8, 0x00, 0x01, 0xef, 0xba, 0x00, 0x06, 0xed, 0xf6, 0xc4, 0x01,
      0x74, 0xfa, 0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef, 0xf4, 0xeb, 0xfd,
    ]
    let rest = [UInt8](repeating: 0, count: 509 - code.count) + [byte, 0x55, 0xaa]
    return code + rest + [UInt8](repeating: 0, count: (1 << 20) - 512)
  }
}
