/// A disk of one mebibyte whose boot sector writes a text to the first serial port, then halts.
///
/// Stands for a guest where only its process matters: it is up in the time the firmware takes.
enum BootSector {
  static func disk(_ text: String = "READY\r\n") -> [UInt8] {
    var code: [UInt8] = [
      0xfa,  // cli
      0x31, 0xc0,  // xor ax, ax
      0x8e, 0xd8,  // mov ds, ax
      0xbe, 0x1a, 0x7c,  // mov si, 0x7c1a
      0xac,  // lodsb
      0x84, 0xc0,  // test al, al
      0x74, 0x06,  // jz halt
      0xba, 0xf8, 0x03,  // mov dx, 0x3f8
      0xee,  // out dx, al
      0xeb, 0xf5,  // jmp lodsb
      0xf4,  // halt: hlt
      0xeb, 0xfd,  // jmp halt
    ]
    while code.count < 0x1a { code.append(0x90) }
    code += Array(text.utf8) + [0]
    precondition(code.count <= 510, "the text is too long for a boot sector")
    var disk = [UInt8](repeating: 0, count: 1 << 20)
    disk.replaceSubrange(0..<code.count, with: code)
    disk[510] = 0x55
    disk[511] = 0xaa
    return disk
  }
}
