internal import EngineInterface
internal import Monitor

/// Recognises how far a guest came by what it wrote on its serial console.
///
/// A pure function of the bytes, whatever pieces they come in. A line counts by how it begins, so
/// that a text in the middle of one, such as in a log that somebody shows, does not.
struct BootRecognition {
  private var console = ConsoleText()
  private(set) var progress = BootProgress(.silent)
  /// The boot loader's last complaint, which tells why it went to its rescue mode.
  private var loaderError = ""
  /// The first unit that failed, which tells why systemd went to its emergency mode.
  private var failedUnit = ""

  /// Recognises all of a console.
  static func progress(of bytes: [UInt8]) -> BootProgress {
    var recognition = BootRecognition()
    recognition.take(bytes)
    return recognition.current
  }

  /// Takes in what came.
  mutating func take(_ bytes: [UInt8]) {
    // The console is taken out meanwhile, since a line changes the rest.
    var console = console
    console.take(bytes) { line in takeLine(line, isOpen: false) }
    self.console = console
  }

  /// How far it came, the line without end included: prompts have none.
  var current: BootProgress {
    guard !console.open.isEmpty else { return progress }
    var ahead = self
    ahead.takeLine(console.open, isOpen: true)
    return ahead.progress
  }

  private mutating func takeLine(_ whole: [UInt8], isOpen: Bool) {
    let line = BootMarker.trimmed(whole)
    guard let first = line.first else { return }
    if progress.stage == .silent { progress.stage = .unrecognized }
    for marker in BootMarker.byFirstByte[Int(first)] where marker.fits(line) {
      return take(marker, line)
    }
    if BootMarker.isLoginPrompt(line, isOpen: isOpen) {
      reach(.login, ConsoleText.text(Array(line)))
    }
  }

  private mutating func take(_ marker: BootMarker, _ line: ArraySlice<UInt8>) {
    switch marker.meaning {
    case .stage(let stage): reach(stage, ConsoleText.text(Array(line)))
    case .cause(let stage):
      reach(stage, "")
      if progress.stage == stage { progress.evidence = ConsoleText.text(Array(line)) }
    case .newBoot(let stage):
      self.loaderError = ""
      self.failedUnit = ""
      progress = BootProgress(stage, evidence: ConsoleText.text(Array(line)))
    case .loaderError: loaderError = ConsoleText.text(Array(line))
    case .failedUnit: if failedUnit.isEmpty { failedUnit = ConsoleText.text(Array(line)) }
    case .restart(let stage): if progress.stage == stage { progress.restartsItself = true }
    }
  }

  /// Goes on to a stage; a boot never goes back but by beginning anew.
  private mutating func reach(_ stage: BootProgress.Stage, _ evidence: String) {
    guard stage.rank > progress.stage.rank else { return }
    let cause: String
    switch stage {
    case .grubRescue, .bootLoaderPrompt: cause = loaderError
    case .emergencyMode: cause = failedUnit
    default: cause = ""
    }
    progress = BootProgress(stage, evidence: cause.isEmpty ? evidence : cause)
  }
}

extension BootProgress.Stage {
  /// The place in a boot; a login prompt may come before cloud-init is done, a panic at any time.
  fileprivate var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// A text that tells something where a line begins with it.
private struct BootMarker {
  enum Meaning {
    /// The boot is this far.
    case stage(BootProgress.Stage)
    /// The boot is this far, and this line tells why better than others.
    case cause(BootProgress.Stage)
    /// A boot begins, whatever was before.
    case newBoot(BootProgress.Stage)
    /// The boot loader complains.
    case loaderError
    /// systemd tells of a unit that failed.
    case failedUnit
    /// A guest in this stage restarts itself.
    case restart(BootProgress.Stage)
  }

  let text: [UInt8]
  let meaning: Meaning
  /// A text that must stand somewhere behind it; empty where none must.
  let rest: [UInt8]

  init(_ text: String, _ meaning: Meaning, with rest: String = "") {
    self.text = Array(text.utf8)
    self.meaning = meaning
    self.rest = Array(rest.utf8)
  }

  func fits(_ line: ArraySlice<UInt8>) -> Bool {
    guard line.starts(with: text) else { return false }
    if rest.isEmpty { return true }
    guard line.count >= text.count + rest.count else { return false }
    return (line.startIndex + text.count...line.endIndex - rest.count).contains { start in
      line[start..<start + rest.count].elementsEqual(rest)
    }
  }

  /// The line without blanks around it and without the kernel's time: `[    1.234567] `.
  static func trimmed(_ line: [UInt8]) -> ArraySlice<UInt8> {
    var line = line.drop { $0 == 0x20 }
    if line.first == 0x5b, let end = line.firstIndex(of: 0x5d),
      line[line.startIndex + 1..<end].contains(0x2e),
      line[line.startIndex + 1..<end].allSatisfy({ $0 == 0x20 || $0 == 0x2e || isDigit($0) })
    {
      line = line[(end + 1)...].drop { $0 == 0x20 }
    }
    while line.last == 0x20 { line.removeLast() }
    return line
  }

  /// `debian login: `, as getty(8) asks: a host's name and the word, and nothing else.
  static func isLoginPrompt(_ line: ArraySlice<UInt8>, isOpen: Bool) -> Bool {
    let words = line.split(separator: 0x20, maxSplits: 3)
    return words.count >= 2 && words[1].elementsEqual("login:".utf8)
      && (words.count == 2 || !isOpen)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  static let byFirstByte: [[BootMarker]] = {
    var table = Array(repeating: [BootMarker](), count: 256)
    for marker in all {
      if let first = marker.text.first { table[Int(first)].append(marker) }
    }
    return table
  }()

  /// The texts; of two that begin alike the longer stands first.
  private static let all: [BootMarker] = [
    // SeaBIOS src/boot.c, iPXE, edk2 MdeModulePkg/Universal/BdsDxe and ShellPkg.
    BootMarker("SeaBIOS (version", .newBoot(.firmware)),
    BootMarker("UEFI firmware (version", .newBoot(.firmware)),
    BootMarker("BdsDxe: loading", .newBoot(.firmware)),
    BootMarker("BdsDxe: No bootable option", .cause(.noBootDevice)),
    BootMarker("iPXE ", .stage(.firmware)),
    BootMarker("Booting from ", .stage(.firmware)),
    BootMarker("No bootable device", .cause(.noBootDevice)),
    BootMarker("UEFI Interactive Shell", .stage(.firmwareShell)),
    BootMarker("Shell>", .stage(.firmwareShell)),

    // GRUB grub-core/normal, kern/rescue_reader.c; SYSLINUX; systemd-boot.
    BootMarker("GNU GRUB", .newBoot(.bootLoader)),
    BootMarker("Welcome to GRUB!", .newBoot(.bootLoader)),
    BootMarker("GRUB loading", .newBoot(.bootLoader)),
    BootMarker("SYSLINUX ", .newBoot(.bootLoader)),
    BootMarker("ISOLINUX ", .newBoot(.bootLoader)),
    BootMarker("EXTLINUX ", .newBoot(.bootLoader)),
    BootMarker("Booting `", .stage(.bootLoader)),
    BootMarker("Loading Linux ", .stage(.bootLoader)),
    BootMarker("Loading initial ramdisk", .stage(.bootLoader)),
    BootMarker("error: ", .loaderError),
    BootMarker("Entering rescue mode...", .stage(.grubRescue)),
    BootMarker("grub rescue>", .stage(.grubRescue)),
    BootMarker("grub>", .stage(.bootLoaderPrompt)),

    // Linux arch/x86/boot, init/main.c, kernel/panic.c.
    BootMarker("EFI stub:", .stage(.kernel)),
    BootMarker("Decompressing Linux", .stage(.kernel)),
    BootMarker("Probing EDD", .stage(.kernel)),
    BootMarker("Linux version ", .newBoot(.kernel)),
    BootMarker("Run /init as init process", .stage(.initramfs)),
    BootMarker("Run /", .stage(.system), with: " as init process"),
    BootMarker("Kernel panic - not syncing", .cause(.panic)),
    BootMarker("---[ end Kernel panic", .stage(.panic)),
    BootMarker("Rebooting in ", .restart(.panic)),

    // initramfs-tools scripts/functions, dracut.
    BootMarker("Loading, please wait...", .stage(.initramfs)),
    BootMarker("Begin: ", .stage(.initramfs)),
    BootMarker("ALERT!", .cause(.initramfsShell), with: "does not exist"),
    BootMarker("Gave up waiting for", .stage(.initramfsShell)),
    BootMarker("(initramfs)", .stage(.initramfsShell)),
    BootMarker("Rebooting automatically due to panic=", .restart(.initramfsShell)),
    BootMarker("dracut-initqueue[", .cause(.initramfsShell), with: "Could not boot"),
    BootMarker("dracut Warning: Could not boot", .cause(.initramfsShell)),
    BootMarker("Generating \"/run/initramfs/rdsosreport.txt\"", .stage(.initramfsShell)),
    BootMarker("dracut:/#", .stage(.initramfsShell)),
    BootMarker("dracut", .stage(.initramfs)),

    // systemd src/core, units/emergency.service; sysvinit; OpenRC.
    BootMarker("Welcome to ", .stage(.initramfs), with: "dracut"),
    BootMarker("Welcome to ", .stage(.initramfs), with: "(Initramfs)"),
    BootMarker("Welcome to ", .stage(.system), with: "!"),
    BootMarker("INIT: version", .stage(.system)),
    BootMarker("OpenRC ", .stage(.system)),
    BootMarker("[FAILED]", .failedUnit),
    BootMarker("[ TIME ]", .failedUnit),
    BootMarker("[DEPEND]", .failedUnit),
    BootMarker("You are in rescue mode", .stage(.rescueMode)),
    BootMarker("You are in emergency mode", .stage(.emergencyMode)),
    // sulogin(8), in either mode or where an older init calls it.
    BootMarker("Give root password for ", .stage(.rescueMode), with: "maintenance"),
    BootMarker("Cannot open access to console, the root account is locked", .stage(.rescueMode)),

    BootMarker("cloud-init[", .stage(.cloudInit)),
    BootMarker("Cloud-init v.", .stage(.cloudInit)),
    BootMarker("ci-info:", .stage(.cloudInit)),
  ]
}
