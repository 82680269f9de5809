/// Where the programs are that the engine starts; finding them is its caller's business.
public struct ProgramPaths: Sendable, Hashable {
  /// `ingot-monitor`.
  public var monitor: String
  /// `ingot-network`.
  public var network: String
  /// `qemu-system-x86_64`.
  public var qemu: String
  /// `qemu-img`.
  public var qemuImage: String
  /// The UEFI firmware's code, such as `OVMF_CODE.fd`; nil where it isn't installed.
  public var firmwareCode: String?
  /// The template of its variable store, such as `OVMF_VARS.fd`.
  public var firmwareVariables: String?

  /// Names the programs by absolute paths.
  public init(
    monitor: String, network: String, qemu: String, qemuImage: String, firmwareCode: String? = nil,
    firmwareVariables: String? = nil
  ) {
    self.monitor = monitor
    self.network = network
    self.qemu = qemu
    self.qemuImage = qemuImage
    self.firmwareCode = firmwareCode
    self.firmwareVariables = firmwareVariables
  }
}
