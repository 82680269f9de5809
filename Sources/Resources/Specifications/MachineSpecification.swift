public import JSON

/// A `VirtualMachine`'s specification.
public struct MachineSpecification: Sendable, Hashable {
  /// When the guest shall run.
  public enum RunStrategy: String, Sendable {
    /// Always; it is started again whatever ended it.
    case always = "Always"
    /// Started again only after a failure.
    case rerunOnFailure = "RerunOnFailure"
    /// Only as commands say.
    case manual = "Manual"
    /// Never.
    case halted = "Halted"
  }

  /// How it boots.
  public enum Boot: String, Sendable {
    /// The image's kernel and initramfs are handed to it.
    case direct
    /// SeaBIOS and the disk's boot sector.
    case bios
    /// OVMF.
    case uefi
  }

  /// A disk.
  public struct Disk: Sendable, Hashable {
    /// What the disk is made from.
    public enum Source: Sendable, Hashable {
      /// A thin clone of an image.
      case image(String)
      /// A declared volume.
      case volume(String)
      /// An empty disk of its own.
      case empty
    }
    /// The name, unique in the machine.
    public var name: String
    /// What it is made from.
    public var source: Source
    /// The size in bytes; nil means the image's.
    public var size: Int64?
    /// The storage pool of a clone or an empty disk.
    public var pool: String
    /// Bytes a second at most; nil for no limit.
    public var bandwidthLimit: Int64?
    /// Requests a second at most; nil for no limit.
    public var requestLimit: Int64?
  }

  /// A network interface.
  public struct Interface: Sendable, Hashable {
    /// The name, unique in the machine.
    public var name: String
    /// The network it is plugged into.
    public var network: String
    /// Its MAC; nil lets the engine choose once and keep it.
    public var mac: String?
    /// Its IPv4 address; nil leaves it to the engine or to DHCP.
    public var address: String?
    /// Its IPv6 address; nil leaves it to the engine.
    public var address6: String?
    /// Whether its cable is plugged in.
    public var isConnected: Bool
    /// Ports of the host that lead to it.
    public var ports: [PortForward]
    /// The security groups whose rules it is under, of all together; empty allows everything.
    public var securityGroups: [String]
    /// Bytes a second that the guest receives at most; nil for no limit.
    public var inboundLimit: Int64?
    /// Bytes a second that the guest sends at most; nil for no limit.
    public var outboundLimit: Int64?
  }

  /// A port of the host that leads to the guest.
  public struct PortForward: Sendable, Hashable {
    /// The host's address; `127.0.0.1` unless said otherwise.
    public var address: String
    /// The host's port; nil lets the engine choose one and keep it.
    public var host: Int?
    /// The guest's port.
    public var guest: Int
    /// `tcp` or `udp`.
    public var networkProtocol: String

    /// Describes a forward.
    public init(address: String, host: Int?, guest: Int, networkProtocol: String) {
      self.address = address
      self.host = host
      self.guest = guest
      self.networkProtocol = networkProtocol
    }
  }

  /// A value that only the seed disc holds.
  public struct Secret: Sendable, Hashable {
    /// Where the value is read from.
    public enum Source: Sendable, Hashable {
      /// A file, by its absolute path.
      case file(String)
      /// A variable of the environment.
      case environment(String)
      /// The output of a program, with its arguments.
      case command([String])
    }
    /// The name, unique in the machine.
    public var name: String
    /// Where the value is read from.
    public var source: Source
  }

  /// A readiness probe.
  public struct Probe: Sendable, Hashable {
    /// How readiness is found out.
    public enum Check: Sendable, Hashable {
      /// The guest agent answers.
      case guestAgent
      /// A TCP port accepts.
      case tcp(port: Int)
      /// A command succeeds in the guest, run by its agent.
      case exec(command: [String])
      /// A text appears on the serial console.
      case console(pattern: String)
    }
    /// How readiness is found out.
    public var check: Check
    /// Seconds from the start after which waiting is given up.
    public var timeout: Int
    /// Seconds between two tries.
    public var period: Int
  }

  /// When the guest shall run.
  public var runStrategy: RunStrategy
  /// The pool it is billed to.
  public var resourcePool: String
  /// Processors at the start.
  public var cpus: Int
  /// Processors at most; live changes stay below.
  public var maximumCPUs: Int
  /// `host` or a model of QEMU's.
  public var cpuModel: String
  /// Memory in bytes.
  public var memory: Int64
  /// Memory at most, in bytes; live changes stay below.
  public var maximumMemory: Int64
  /// How it boots.
  public var boot: Boot
  /// The disks, in order; the first is booted from.
  public var disks: [Disk]
  /// The interfaces, in order.
  public var interfaces: [Interface]
  /// cloud-init's user data; nil for none; an object or a text that is passed on as it is.
  public var userData: JSONValue?
  /// cloud-init's network configuration, passed on as it is.
  public var networkData: JSONValue?
  /// What `${secret.NAME}` stands for in the data.
  public var secrets: [Secret]
  /// The readiness probe; nil means a running guest is ready.
  public var readinessProbe: Probe?
  /// Seconds an ACPI shutdown may take before the guest is killed.
  public var terminationGracePeriod: Int
  /// Guaranteed CPU in millicores.
  public var cpuReservation: Int64
  /// Guaranteed memory in bytes.
  public var memoryReservation: Int64

  /// Reads a normalised specification.
  public init(_ spec: JSONValue) throws(SpecificationError) {
    let reader = try SpecificationReader(spec)
    runStrategy = try reader.choice("runStrategy")
    resourcePool = try reader.text("resourcePool")
    let cpu = try reader.group("cpu")
    cpus = try cpu.int("count")
    maximumCPUs = try cpu.optionalInt("max") ?? cpus
    cpuModel = try cpu.text("model")
    cpuReservation = try cpu.integer("reservation")
    let memory = try reader.group("memory")
    self.memory = try memory.integer("guest")
    maximumMemory = try memory.optionalInteger("max") ?? self.memory
    memoryReservation = try memory.integer("reservation")
    boot = try reader.group("firmware").choice("boot")
    disks = []
    for disk in try reader.groups("disks") { disks.append(try Disk(disk)) }
    interfaces = []
    for interface in try reader.groups("interfaces") {
      interfaces.append(try Interface(interface))
    }
    let cloudInit = try reader.optionalGroup("cloudInit")
    userData = cloudInit?.object["userData"]
    networkData = cloudInit?.object["networkData"]
    secrets = []
    for secret in try cloudInit?.groups("secrets") ?? [] { secrets.append(try Secret(secret)) }
    readinessProbe = nil
    if let probe = try reader.optionalGroup("readinessProbe") { readinessProbe = try Probe(probe) }
    terminationGracePeriod = try reader.int("terminationGracePeriod")
  }
}

extension MachineSpecification.Disk {
  init(_ reader: SpecificationReader) throws(SpecificationError) {
    name = try reader.text("name")
    if let image = try reader.optionalText("image") {
      source = .image(image)
    } else if let volume = try reader.optionalText("volume") {
      source = .volume(volume)
    } else {
      source = .empty
    }
    size = try reader.optionalInteger("size")
    pool = try reader.text("pool")
    let limits = try reader.optionalGroup("limits")
    bandwidthLimit = try limits?.optionalInteger("bandwidth")
    requestLimit = try limits?.optionalInteger("iops")
  }
}

extension MachineSpecification.Interface {
  /// Reads an interface of a normalised specification.
  public init(_ interface: JSONValue) throws(SpecificationError) {
    try self.init(SpecificationReader(interface))
  }

  init(_ reader: SpecificationReader) throws(SpecificationError) {
    name = try reader.text("name")
    network = try reader.text("network")
    mac = try reader.optionalText("mac")
    address = try reader.optionalText("address")
    address6 = try reader.optionalText("address6")
    isConnected = try reader.optionalText("link") != "down"
    ports = []
    for port in try reader.groups("ports") {
      ports.append(
        MachineSpecification.PortForward(
          address: try port.text("address"), host: try port.optionalInt("host"),
          guest: try port.int("guest"), networkProtocol: try port.text("protocol")))
    }
    securityGroups = try reader.texts("securityGroups")
    let bandwidth = try reader.optionalGroup("bandwidth")
    inboundLimit = try bandwidth?.optionalInteger("inbound")
    outboundLimit = try bandwidth?.optionalInteger("outbound")
  }
}

extension MachineSpecification.Secret {
  init(_ reader: SpecificationReader) throws(SpecificationError) {
    name = try reader.text("name")
    if let file = try reader.optionalText("file") {
      source = .file(file)
    } else if let variable = try reader.optionalText("env") {
      source = .environment(variable)
    } else {
      source = .command(try reader.texts("command"))
    }
  }
}

extension MachineSpecification.Probe {
  init(_ reader: SpecificationReader) throws(SpecificationError) {
    if let tcp = try reader.optionalGroup("tcp") {
      check = .tcp(port: try tcp.int("port"))
    } else if let exec = try reader.optionalGroup("exec") {
      check = .exec(command: try exec.texts("command"))
    } else if let console = try reader.optionalGroup("console") {
      check = .console(pattern: try console.text("pattern"))
    } else {
      check = .guestAgent
    }
    timeout = try reader.int("timeout")
    period = try reader.int("period")
  }
}
