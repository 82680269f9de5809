/// How far a guest came in this boot, as its serial console tells.
///
/// The guest writes that console and may write anything: it is a statement of the guest about
/// itself, good for people and for giving up a wait, never for deciding about others.
public struct BootProgress: Sendable, Hashable {
  /// How far; a closed set, in the order in which a boot comes by.
  public enum Stage: String, Sendable, Hashable, CaseIterable {
    /// Nothing was written yet.
    case silent = "Silent"
    /// Something was written, and nothing that is known.
    case unrecognized = "Unrecognized"
    /// SeaBIOS, OVMF or iPXE.
    case firmware = "Firmware"
    /// The firmware found nothing to boot.
    case noBootDevice = "NoBootDevice"
    /// OVMF's shell waits for a command.
    case firmwareShell = "FirmwareShell"
    /// GRUB, SYSLINUX or another boot loader.
    case bootLoader = "BootLoader"
    /// GRUB waits for a command.
    case bootLoaderPrompt = "BootLoaderPrompt"
    /// GRUB did not find its own files.
    case grubRescue = "GRUBRescue"
    /// The kernel is unpacked or runs.
    case kernel = "Kernel"
    /// The initial RAM disk looks for the root file system.
    case initramfs = "Initramfs"
    /// The initial RAM disk gave up and waits for a command.
    case initramfsShell = "InitramfsShell"
    /// The root file system's init starts services.
    case system = "System"
    /// systemd was told to come up in rescue mode.
    case rescueMode = "RescueMode"
    /// systemd could not come up and waits for root's password.
    case emergencyMode = "EmergencyMode"
    /// cloud-init is at work.
    case cloudInit = "CloudInit"
    /// A login prompt stands there.
    case login = "Login"
    /// The kernel panicked.
    case panic = "KernelPanic"
  }

  /// How far it came.
  public var stage: Stage
  /// The console's line that says so or why, without control characters; empty where there is none.
  public var evidence: String
  /// Whether the guest said that it restarts itself.
  public var restartsItself: Bool

  /// Describes a progress.
  public init(_ stage: Stage, evidence: String = "", restartsItself: Bool = false) {
    self.stage = stage
    self.evidence = evidence
    self.restartsItself = restartsItself
  }

  /// Whether somebody has to do something before the guest goes on.
  public var isStuck: Bool { stage.waitsForSomebody && !restartsItself }

  /// In words: `the kernel panicked: VFS: Unable to mount root fs`.
  public var sentence: String {
    if evidence.isEmpty { return stage.sentence }
    return "\(stage.sentence): \(evidence.hasSuffix(".") ? String(evidence.dropLast()) : evidence)"
  }
}

extension BootProgress.Stage {
  /// Whether a guest does not leave this stage by itself.
  public var waitsForSomebody: Bool {
    switch self {
    case .noBootDevice, .firmwareShell, .bootLoaderPrompt, .grubRescue, .initramfsShell,
      .rescueMode, .emergencyMode, .panic:
      true
    case .silent, .unrecognized, .firmware, .bootLoader, .kernel, .initramfs, .system, .cloudInit,
      .login:
      false
    }
  }

  /// What the guest does there, in words.
  public var sentence: String {
    switch self {
    case .silent: "the console is silent"
    case .unrecognized: "the console shows nothing that is known"
    case .firmware: "the firmware runs"
    case .noBootDevice: "the firmware found nothing to boot"
    case .firmwareShell: "the guest is in the UEFI shell"
    case .bootLoader: "the boot loader runs"
    case .bootLoaderPrompt: "the boot loader waits at its prompt"
    case .grubRescue: "GRUB is in its rescue mode"
    case .kernel: "the kernel starts"
    case .initramfs: "the initramfs looks for the root file system"
    case .initramfsShell: "the initramfs gave up and waits at its prompt"
    case .system: "the system comes up"
    case .rescueMode: "the system is in rescue mode"
    case .emergencyMode: "the system is in emergency mode"
    case .cloudInit: "cloud-init is at work"
    case .login: "the console shows a login prompt"
    case .panic: "the kernel panicked"
    }
  }
}
