/// A guest machine as QEMU is to build it; everything is explicit, nothing is probed.
public struct MachineSpec: Hashable, Sendable {
  /// What makes the guest's instructions run; exactly one is passed, so that the record says which.
  public enum Accelerator: String, Hashable, Sendable, CaseIterable {
    /// The processor's own virtualisation.
    case kvm
    /// QEMU's translator; slower, runs everywhere, and no security boundary.
    case tcg
  }

  /// How the guest boots.
  public enum Firmware: Hashable, Sendable {
    /// QEMU loads the kernel itself.
    case direct(kernel: String, initrd: String?, commandLine: String)
    /// SeaBIOS, from the disk or drive with the lowest boot index.
    case bios
    /// UEFI: the firmware's code, read only, and this machine's own variable store; raw files.
    case uefi(code: String, variables: String)
  }

  /// A file and its format.
  public struct Layer: Hashable, Sendable {
    /// A disk format; never probed.
    public enum Format: String, Hashable, Sendable, CaseIterable {
      /// The bytes themselves.
      case raw
      /// QEMU's copy-on-write format.
      case qcow2
    }
    /// Where the file is.
    public var path: String
    /// Its format.
    public var format: Format

    /// Names a file and its format.
    public init(path: String, format: Format) {
      self.path = path
      self.format = format
    }
  }

  /// How fast a disk may be; a value of 0 is no limit.
  public struct DiskLimits: Hashable, Sendable {
    /// Bytes a second, reading and writing together.
    public var bytesPerSecond: Int
    /// Requests a second, reading and writing together.
    public var operationsPerSecond: Int

    /// Describes limits; none by default.
    public init(bytesPerSecond: Int = 0, operationsPerSecond: Int = 0) {
      self.bytesPerSecond = bytesPerSecond
      self.operationsPerSecond = operationsPerSecond
    }
  }

  /// A disk.
  public struct Disk: Hashable, Sendable {
    /// The device the guest sees.
    public enum Device: String, Hashable, Sendable, CaseIterable {
      /// A virtio block device behind a port of its own, so that it can be unplugged.
      case virtio
      /// A fixed virtio block device that carries cloud-init's seed; always read only.
      case seed
    }
    /// Its name for QMP: the block node is `ID` and the device `ID-device`.
    ///
    /// Letters, digits, `-` and `_`.
    public var id: String
    /// The chain, top first; the last has no backing file.
    public var layers: [Layer]
    /// The device the guest sees.
    public var device: Device
    /// Whether the guest may not write.
    public var readOnly: Bool
    /// The serial number the guest sees, at most 20 bytes; nil for none.
    public var serial: String?
    /// Whether the guest's discards free space in the file.
    public var discard: Bool
    /// The place in the firmware's boot order, from 0; nil for never.
    public var bootIndex: Int?
    /// How fast it may be.
    public var limits: DiskLimits

    /// Describes a disk.
    public init(
      id: String, layers: [Layer], device: Device = .virtio, readOnly: Bool = false,
      serial: String? = nil, discard: Bool = true, bootIndex: Int? = nil,
      limits: DiskLimits = DiskLimits()
    ) {
      self.id = id
      self.layers = layers
      self.device = device
      self.readOnly = readOnly
      self.serial = serial
      self.discard = discard
      self.bootIndex = bootIndex
      self.limits = limits
    }
  }

  /// A port of the host that leads to a port of the guest.
  public struct HostForward: Hashable, Sendable {
    /// What is forwarded.
    public enum Transport: String, Hashable, Sendable, CaseIterable {
      /// Streams.
      case tcp
      /// Datagrams.
      case udp
    }
    /// What is forwarded.
    public var transport: Transport
    /// The host's IPv4 address to listen on.
    public var hostAddress: String
    /// The host's port.
    public var hostPort: UInt16
    /// The guest's port.
    public var guestPort: UInt16

    /// Describes a forward.
    public init(
      transport: Transport = .tcp, hostAddress: String = "127.0.0.1", hostPort: UInt16,
      guestPort: UInt16
    ) {
      self.transport = transport
      self.hostAddress = hostAddress
      self.hostPort = hostPort
      self.guestPort = guestPort
    }

    /// As QEMU writes it: `tcp:127.0.0.1:8080-:80`.
    public var argument: String {
      "\(transport.rawValue):\(hostAddress):\(hostPort)-:\(guestPort)"
    }
    /// As `hostfwd_remove` names it: `tcp:127.0.0.1:8080`.
    public var removalArgument: String { "\(transport.rawValue):\(hostAddress):\(hostPort)" }
  }

  /// A network card.
  public struct Interface: Hashable, Sendable {
    /// What the card's cable leads to.
    public enum Backend: Hashable, Sendable {
      /// QEMU's own user-mode network, where the guest is alone with its host.
      ///
      /// - Parameters:
      ///   - subnet: the network, `10.0.2.0/24`; nil for that default.
      ///   - guestAddress: the first address DHCP gives, so the guest's; nil for QEMU's default, the
      ///     network's 15th.
      ///   - domain: the domain that DHCP tells the guest it is in; nil for none.
      ///   - forwards: the host's ports that lead to the guest.
      case user(
        subnet: String? = nil, guestAddress: String? = nil, domain: String? = nil,
        forwards: [HostForward] = [])
      /// A tap in the bridge of a network, opened at each start of the guest.
      ///
      /// - Parameters:
      ///   - network: the path of the network's directory.
      ///   - port: the network's name of the tap.
      ///   - mtu: the longest packet of the network, in bytes.
      case tap(network: String, port: String, mtu: Int)
    }

    /// Its name for QMP: the network is `ID` and the device `ID-device`.
    ///
    /// Letters, digits, `-` and `_`.
    public var id: String
    /// The hardware address: `52:54:00:12:34:56`.
    public var mac: String
    /// What its cable leads to.
    public var backend: Backend
    /// Whether the cable is plugged in.
    public var isConnected: Bool

    /// Describes a network card.
    public init(
      id: String, mac: String, backend: Backend = .user(), isConnected: Bool = true
    ) {
      self.id = id
      self.mac = mac
      self.backend = backend
      self.isConnected = isConnected
    }

    /// The host's ports that QEMU itself leads to the guest; a tap's are its network's.
    public var forwards: [HostForward] {
      if case .user(_, _, _, let forwards) = backend { forwards } else { [] }
    }
  }

  /// The guest's name in process lists.
  public var name: String
  /// The machine's identity as its firmware tells it: RFC 9562.
  public var uuid: String
  /// Processors at start.
  public var cpus: Int
  /// Processors that could be plugged in while it runs; at least `cpus`.
  public var maximumCPUs: Int
  /// QEMU's name of a processor model; nil for `host` with KVM and `max` with TCG.
  public var cpuModel: String?
  /// Memory in bytes at start.
  public var memory: Int
  /// Memory in bytes the guest can be given while it runs; at least `memory`.
  ///
  /// What lies between the two is a memory device without memory in it.
  public var maximumMemory: Int
  /// What runs the guest's instructions.
  public var accelerator: Accelerator
  /// How the guest boots.
  public var firmware: Firmware
  /// Disks and drives, in the order the guest numbers them.
  public var disks: [Disk]
  /// Network cards, in the order the guest numbers them.
  public var interfaces: [Interface]
  /// Free slots for devices plugged in while it runs.
  public var spareSlots: Int

  /// Describes a machine.
  public init(
    name: String, uuid: String, cpus: Int = 1, maximumCPUs: Int? = nil, cpuModel: String? = nil,
    memory: Int, maximumMemory: Int? = nil, accelerator: Accelerator,
    firmware: Firmware = .bios, disks: [Disk] = [], interfaces: [Interface] = [],
    spareSlots: Int = 4
  ) {
    self.name = name
    self.uuid = uuid
    self.cpus = cpus
    self.maximumCPUs = maximumCPUs ?? cpus
    self.cpuModel = cpuModel
    self.memory = memory
    self.maximumMemory = maximumMemory ?? memory
    self.accelerator = accelerator
    self.firmware = firmware
    self.disks = disks
    self.interfaces = interfaces
    self.spareSlots = spareSlots
  }
}
