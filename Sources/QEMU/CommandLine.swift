internal import JSON

/// The descriptors QEMU is handed, by the numbers it finds them at: listening sockets and taps.
public struct GuestDescriptors: Hashable, Sendable {
  /// For QMP.
  public var qmp: Int32
  /// For the serial console.
  public var console: Int32
  /// For the guest agent's channel.
  public var agent: Int32
  /// For the first card on a tap; those of the others follow, in the order of the cards.
  public var firstTap: Int32

  /// Names the descriptors.
  public init(qmp: Int32, console: Int32, agent: Int32, firstTap: Int32) {
    self.qmp = qmp
    self.console = console
    self.agent = agent
    self.firstTap = firstTap
  }
}

extension MachineSpec {
  /// QEMU's arguments for this machine, which starts stopped (`-S`) and waits for `cont`.
  ///
  /// What takes paths or user's text is passed as JSON, so that no comma or colon in it means
  /// anything. Network cards and disks each sit behind a root port of their own: devices directly
  /// on the root complex can't be plugged or unplugged. The ports of network cards come first, so that
  /// a disk added later doesn't rename the guest's interfaces.
  ///
  /// - Parameter consoleLog: the file QEMU adds the guest's serial output to, whether or not a
  ///   client is connected to the console's socket.
  public func arguments(descriptors: GuestDescriptors, consoleLog: String) -> [String] {
    generalArguments + processorArguments + memoryArguments + firmwareArguments
      + socketArguments(descriptors, consoleLog) + portArguments + diskArguments
      + interfaceArguments(firstTap: descriptors.firstTap) + fixedDeviceArguments
  }

  private var generalArguments: [String] {
    [
      "-name", "guest=\(escaped(name)),debug-threads=on", "-uuid", uuid, "-nodefaults",
      "-no-user-config", "-display", "none", "-S", "-msg", "timestamp=on",
      "-sandbox",
      "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
      // A reboot keeps the process; a panic ends it, with an event that says so.
      "-action", "reboot=reset,shutdown=poweroff,panic=shutdown",
      "-global", "ICH9-LPC.disable_s3=1", "-global", "ICH9-LPC.disable_s4=1",
    ]
  }

  private var processorArguments: [String] {
    let model: String
    let accel: String
    switch accelerator {
    case .kvm:
      model = cpuModel ?? "host"
      accel = "kvm"
    case .tcg:
      // "host" means the best there is; TCG's word for that is "max".
      model = cpuModel.flatMap { $0 == "host" ? nil : $0 } ?? "max"
      accel = "tcg,thread=multi,tb-size=64"
    }
    let smp = maximumCPUs > cpus ? "\(cpus),maxcpus=\(maximumCPUs)" : "\(cpus)"
    return ["-accel", accel, "-cpu", model, "-smp", smp]
  }

  private var memoryArguments: [String] {
    var machine = "q35,usb=off,vmport=off,dump-guest-core=off,memory-backend=ram0"
    if accelerator == .kvm { machine += ",hpet=off" }
    if case .uefi = firmware { machine += ",pflash0=firmware-code,pflash1=firmware-variables" }
    let room = pluggableMemory
    let ceiling = room > 0 ? ",maxmem=\(memory + room)b" : ""
    return ["-machine", machine, "-m", "size=\(memory)b\(ceiling)"]
      + memoryBackend("ram0", memory) + (room > 0 ? memoryBackend("ram1", room) : [])
  }

  private func memoryBackend(_ id: String, _ size: Int) -> [String] {
    [
      "-object",
      "memory-backend-memfd,id=\(id),size=\(size),share=on,prealloc=off,merge=off",
    ]
  }

  private var firmwareArguments: [String] {
    switch firmware {
    case .bios: return []
    case .direct(let kernel, let initrd, let commandLine):
      return ["-kernel", kernel] + (initrd.map { ["-initrd", $0] } ?? [])
        + ["-append", commandLine]
    case .uefi(let code, let variables):
      return [
        "-blockdev", fileNode("firmware-code", code, readOnly: true, discard: false).text(),
        "-blockdev", fileNode("firmware-variables", variables, readOnly: false).text(),
      ]
    }
  }

  private func socketArguments(_ sockets: GuestDescriptors, _ consoleLog: String) -> [String] {
    func socket(_ id: String, _ descriptor: Int32, _ more: String = "") -> [String] {
      ["-chardev", "socket,id=\(id),fd=\(descriptor),server=on,wait=off\(more)"]
    }
    // Appending (O_APPEND): whoever bounds the file may cut it to nothing under QEMU's hands.
    let log = ",logfile=\(escaped(consoleLog)),logappend=on"
    return socket("qmp", sockets.qmp) + ["-mon", "chardev=qmp,mode=control"]
      + socket("console", sockets.console, log) + ["-serial", "chardev:console"]
      + socket("agent", sockets.agent)
  }

  /// Each network card's port, each disk's, then the free ones; at most 8 functions a slot.
  private var portArguments: [String] {
    ports(interfaces.map(\.id), firstSlot: 0x2, firstChassis: 1)
      + ports(virtioDisks.map(\.id), firstSlot: 0x6, firstChassis: 64)
      + ports((0..<spareSlots).map { "spare\($0)" }, firstSlot: 0x10, firstChassis: 192)
  }

  private var virtioDisks: [Disk] { disks.filter { $0.device == .virtio } }

  private func ports(_ ids: [String], firstSlot: Int, firstChassis: Int) -> [String] {
    ids.enumerated().flatMap { index, id in
      let slot = String(firstSlot + index / 8, radix: 16)
      let several = index % 8 == 0 ? ",multifunction=on" : ""
      return [
        "-device",
        "pcie-root-port,id=port-\(id),bus=pcie.0,addr=0x\(slot).\(index % 8),"
          + "chassis=\(firstChassis + index)\(several)",
      ]
    }
  }

  private var diskArguments: [String] {
    disks.flatMap { disk in
      disk.blockNodes.flatMap { ["-blockdev", $0.text()] }
        + ["-device", disk.device(on: "port-\(disk.id)").text()]
    }
  }

  private func interfaceArguments(firstTap: Int32) -> [String] {
    var tap = firstTap
    return interfaces.flatMap { interface in
      var network: String
      switch interface.backend {
      case .user(let subnet, let guestAddress, let domain, let forwards):
        network = "user,id=\(interface.id)"
        if let subnet { network += ",net=\(subnet)" }
        if let guestAddress { network += ",dhcpstart=\(guestAddress)" }
        if let domain { network += ",domainname=\(escaped(domain))" }
        for forward in forwards { network += ",hostfwd=\(forward.argument)" }
      case .tap:
        network = "tap,id=\(interface.id),fd=\(tap),vhost=off"
        tap += 1
      }
      return ["-netdev", network, "-device", interface.device(on: interface.firstPort).text()]
    }
  }

  private var fixedDeviceArguments: [String] {
    let memoryDevice =
      "virtio-mem-pci,id=\(Self.memoryDevice),memdev=ram1,node=0,requested-size=0,bus=pcie.0,"
      + "addr=0x1c"
    let devices = [
      "virtio-balloon-pci,id=balloon,bus=pcie.0,addr=0x18,free-page-reporting=on,"
        + "deflate-on-oom=on",
      "virtio-rng-pci,id=rng,bus=pcie.0,addr=0x19",
      "virtio-serial-pci,id=serial,bus=pcie.0,addr=0x1a",
      "virtserialport,bus=serial.0,nr=1,chardev=agent,name=org.qemu.guest_agent.0,id=agent-port",
      "pvpanic-pci,bus=pcie.0,addr=0x1b",
    ]
    return (devices + (pluggableMemory > 0 ? [memoryDevice] : [])).flatMap { ["-device", $0] }
  }

  /// QEMU reads `,,` as a comma of the value.
  private func escaped(_ text: String) -> String {
    text.split(separator: ",", omittingEmptySubsequences: false).joined(separator: ",,")
  }
}
