internal import Diagnostics
internal import DiskImage
internal import JSON
internal import XML

/// Maps a libvirt domain (https://libvirt.org/formatdomain.html) to a machine; pure.
///
/// What has no counterpart is told with its line, each by itself; details that a running domain's
/// document has of its own accord (addresses, aliases, security labels) are no part of a domain.
struct DomainImport {
  /// How the document is taken.
  struct Options {
    /// The machine's name; nil takes the domain's.
    var name: String?
    /// The network that interfaces are plugged into; nil for the default one.
    var network: String?
    /// The storage pool of the volumes.
    var pool: String?
  }

  private let file: String
  private let options: Options
  /// All that is wrong or left out.
  private(set) var problems: [Diagnostic] = []
  private var spec: JSONValue = [:]
  private var disks: [(order: Int, disk: ImportedMachine.Disk)] = []
  private var interfaces: [JSONValue] = []
  private var ports: [String: [JSONValue]] = [:]
  private var name = ""

  private init(_ file: String, _ options: Options) {
    self.file = file
    self.options = options
  }

  /// Maps a document.
  ///
  /// - Parameter file: its name in diagnostics.
  /// - Returns: the machine, and what is told; errors among it mean that the machine is no good.
  static func map(
    _ domain: XMLElement, file: String, options: Options
  ) -> (ImportedMachine, [Diagnostic]) {
    var mapping = DomainImport(file, options)
    mapping.take(domain)
    let disks = mapping.disks.enumerated()
      .sorted { ($0.element.order, $0.offset) < ($1.element.order, $1.offset) }
      .map(\.element.disk)
    let machine = ImportedMachine(
      name: mapping.name, spec: mapping.spec, disks: disks, pool: options.pool)
    return (machine, mapping.problems)
  }

  private mutating func take(_ domain: XMLElement) {
    guard domain.name == "domain" else {
      return fail(domain, "the document is a <\(domain.name)>, not a libvirt <domain>")
    }
    guard let type = domain["type"], ["kvm", "qemu", "test"].contains(type) else {
      return fail(domain, "a domain of type '\(domain["type"] ?? "")' is no QEMU machine")
    }
    // It comes halted: the domain may still run, and two guests on one disk destroy it.
    spec["runStrategy"] = "Manual"
    takeName(domain)
    takeProcessors(domain)
    takeMemory(domain)
    spec["firmware"] = ["boot": "bios"]
    // Interfaces need their ports first.
    for metadata in domain.children("metadata") { takeMetadata(metadata) }
    for child in domain.children { take(child, of: domain) }
    if !interfaces.isEmpty { spec["interfaces"] = .array(interfaces) }
    if disks.isEmpty { drop(domain, "the domain has no disk that can be taken over") }
  }

  private mutating func take(_ element: XMLElement, of domain: XMLElement) {
    switch element.name {
    case "name", "memory", "currentMemory", "vcpu", "cpu", "metadata", "resource", "seclabel",
      "uuid":
      // The identity stays with the domain; ingot gives one of its own.
      if element.name == "uuid" { drop(element, "the UUID is not kept: the machine gets its own") }
    case "os": takeSystem(element)
    case "features":
      for feature in element.children where !["acpi", "apic", "pae"].contains(feature.name) {
        drop(feature)
      }
    case "clock":
      if let offset = element["offset"], offset != "utc" {
        drop(element, "the clock's offset '\(offset)' is left out: it runs in UTC")
      }
    case "on_poweroff": takeAction(element, "destroy")
    case "on_reboot": takeAction(element, "restart")
    case "on_crash": takeAction(element, "destroy")
    case "pm": break  // Sleep states are off here as well.
    case "devices":
      for device in element.children { takeDevice(device) }
    default: drop(element)
    }
  }

  private mutating func takeAction(_ element: XMLElement, _ usual: String) {
    if element.text != usual {
      drop(element, "<\(element.name)>\(element.text) is left out: the run strategy decides")
    }
  }

  // MARK: Name, processors, memory, firmware

  private mutating func takeName(_ domain: XMLElement) {
    let given = options.name ?? domain.child("name")?.text ?? ""
    name = ImportedMachine.name(given)
    if name.isEmpty {
      fail(
        domain.child("name") ?? domain, "the domain has no name that can be used: '\(given)'",
        help: "pass --name")
    } else if name != given {
      drop(domain.child("name") ?? domain, "the name '\(given)' becomes '\(name)'")
    }
  }

  private mutating func takeProcessors(_ domain: XMLElement) {
    var cpu: JSONValue = [:]
    if let element = domain.child("vcpu") {
      guard let most = Int64(element.text) else {
        return fail(element, "'\(element.text)' is no number of processors")
      }
      let count = element["current"].flatMap { Int64($0) } ?? most
      cpu["count"] = .integer(count)
      if count != most { cpu["max"] = .integer(most) }
      if element["cpuset"] != nil { drop(element, "the processors' pinning (cpuset) is left out") }
    }
    if let element = domain.child("cpu") {
      switch element["mode"] ?? "custom" {
      case "host-passthrough", "host-model", "maximum": cpu["model"] = "host"
      default:
        if let model = element.child("model")?.text, !model.isEmpty {
          cpu["model"] = .string(model)
        }
      }
      for child in element.children where child.name != "model" { drop(child) }
    } else {
      drop(domain, "the domain states no processor model; the machine gets the host's")
    }
    if cpu.object?.isEmpty == false { spec["cpu"] = cpu }
  }

  private mutating func takeMemory(_ domain: XMLElement) {
    guard let most = domain.child("memory") else { return }
    guard let maximum = bytes(most) else { return }
    var memory: JSONValue = [:]
    let current = domain.child("currentMemory").flatMap { bytes($0) } ?? maximum
    memory["guest"] = .string("\(whole(current, most) >> 20)Mi")
    if current < maximum { memory["max"] = .string("\(whole(maximum, most) >> 20)Mi") }
    spec["memory"] = memory
  }

  private mutating func whole(_ bytes: Int64, _ element: XMLElement) -> Int64 {
    let rest = bytes % (1 << 20)
    if rest == 0 { return bytes }
    drop(element, "the memory of \(bytes) bytes is rounded up to whole mebibytes")
    return bytes - rest + 1 << 20
  }

  /// A size with libvirt's units; KiB where none is named.
  private mutating func bytes(_ element: XMLElement) -> Int64? {
    let units: [String: Int64] = [
      "b": 1, "bytes": 1, "KB": 1000, "k": 1 << 10, "KiB": 1 << 10, "MB": 1_000_000, "M": 1 << 20,
      "MiB": 1 << 20, "GB": 1_000_000_000, "G": 1 << 30, "GiB": 1 << 30,
      "TB": 1_000_000_000_000, "T": 1 << 40, "TiB": 1 << 40,
    ]
    let unit = element["unit"] ?? "KiB"
    guard let factor = units[unit], let number = Int64(element.text), number >= 0 else {
      fail(element, "'\(element.text)' \(unit) is no size")
      return nil
    }
    let (bytes, isTooLarge) = number.multipliedReportingOverflow(by: factor)
    guard !isTooLarge, bytes < 1 << 50 else {
      fail(element, "a memory of \(element.text) \(unit) is out of range")
      return nil
    }
    return bytes
  }

  private mutating func takeSystem(_ system: XMLElement) {
    if system["firmware"] == "efi" { spec["firmware"] = ["boot": "uefi"] }
    for child in system.children {
      switch child.name {
      case "type":
        let architecture = child["arch"] ?? "x86_64"
        if architecture != "x86_64" || child.text != "hvm" {
          fail(
            child, "a machine of \(architecture) (\(child.text)) can't run here: x86_64, hvm only")
        }
        if let machine = child["machine"], !machine.contains("q35") {
          drop(child, "the machine type '\(machine)' becomes q35; its devices have other addresses")
        }
      case "loader":
        if child["type"] == "pflash" {
          spec["firmware"] = ["boot": "uefi"]
          if child["secure"] == "yes" { drop(child, "secure boot is left out") }
        } else {
          drop(child)
        }
      case "nvram":
        drop(child, "the UEFI variables are left out: the firmware begins with new ones")
      case "boot":
        if child["dev"] != "hd" { drop(child, "booting from '\(child["dev"] ?? "")' is left out") }
      case "bootmenu", "smbios", "bios": drop(child)
      case "kernel", "initrd", "cmdline":
        drop(child, "<\(child.name)> is left out: the disk has to boot by itself")
      default: drop(child)
      }
    }
  }

  // MARK: Devices

  private mutating func takeDevice(_ device: XMLElement) {
    switch device.name {
    case "disk": takeDisk(device)
    case "interface": takeInterface(device)
    case "serial", "console":
      // A serial console is always there.
      if device.child("target")?["port"] ?? "0" != "0" { drop(device) }
    case "channel":
      if device.child("target")?["name"] != "org.qemu.guest_agent.0" { drop(device) }
    case "controller", "emulator", "memballoon", "panic": break
    case "rng": if device["model"] ?? "virtio" != "virtio" { drop(device) }
    case "input": if device["bus"] != "ps2" { drop(device) }
    case "watchdog", "audio":
      // libvirt adds these to every domain of a newer q35.
      if device["model"] == "itco" || device["type"] == "none" { break }
      drop(device)
    default: drop(device)
    }
  }

  private mutating func takeDisk(_ element: XMLElement) {
    let target = element.child("target")?["dev"] ?? ""
    let kind = element["device"] ?? "disk"
    guard kind == "disk" else {
      // A drive without a medium holds nothing to lose.
      if element.child("source") != nil || kind == "lun" {
        drop(element, "the \(kind) \(target) is left out")
      }
      return
    }
    guard element["type"] == "file", let path = element.child("source")?["file"] else {
      return drop(
        element,
        "the disk \(target) of type '\(element["type"] ?? "")' is left out: only files are "
          + "taken over")
    }
    guard let text = element.child("driver")?["type"] else {
      return fail(
        element, "the format of the disk \(target) is not stated, and formats are never guessed",
        help: "add <driver name='qemu' type='raw'/> or 'qcow2'")
    }
    guard let format = DiskFormat(rawValue: text), format.runsGuests else {
      return fail(
        element, "a disk of the format '\(text)' can't run a guest",
        help: "convert it: ingot image convert \(path) --from \(text) --to qcow2 -o FILE")
    }
    let order = element.child("boot")?["order"].flatMap { Int($0) } ?? .max
    let name = ownAlias(element) ?? ImportedMachine.name(target)
    var disk = ImportedMachine.Disk(
      name: name.isEmpty ? "disk\(disks.count)" : name, path: path, format: format,
      span: span(element))
    takeDiskDetails(element, target, &disk)
    disks.append((order, disk))
  }

  private mutating func takeDiskDetails(
    _ element: XMLElement, _ target: String, _ disk: inout ImportedMachine.Disk
  ) {
    if let bus = element.child("target")?["bus"], bus != "virtio" {
      drop(
        element,
        "the disk \(target) moves from the bus '\(bus)' to virtio: the guest needs the driver "
          + "to boot from it")
    }
    for child in element.children {
      switch child.name {
      case "driver", "source", "target", "boot", "address", "alias", "backingStore", "serial": break
      case "iotune": takeLimits(child, &disk)
      case "readonly": drop(child, "the disk \(target) is read-only there; here it can be written")
      default: drop(child)
      }
    }
  }

  private mutating func takeLimits(_ element: XMLElement, _ disk: inout ImportedMachine.Disk) {
    for child in element.children {
      let number = Int64(child.text)
      // libvirt's 0 is no limit.
      if number == 0 { continue }
      switch (child.name, number) {
      case ("total_bytes_sec", .some(let number)): disk.limits["bandwidth"] = .string("\(number)")
      case ("total_iops_sec", .some(let number)): disk.limits["iops"] = .integer(number)
      default: drop(child)
      }
    }
  }

  private mutating func takeInterface(_ element: XMLElement) {
    let type = element["type"] ?? ""
    let name = ownAlias(element) ?? "net\(interfaces.count)"
    var interface: JSONValue = ["name": .string(name)]
    interface["network"] = options.network.map(JSONValue.string)
    if let mac = element.child("mac")?["address"] { interface["mac"] = .string(mac) }
    if type != "user" {
      let source = element.child("source")
      let from = source?["network"] ?? source?["bridge"] ?? source?["dev"] ?? ""
      drop(
        element,
        "the interface \(name) of type '\(type)' (\(from)) is plugged into the network "
          + "'\(options.network ?? "default")'")
    }
    if let model = element.child("model")?["type"], model != "virtio" {
      drop(element, "the interface \(name) becomes a virtio card in place of '\(model)'")
    }
    for child in element.children {
      switch child.name {
      case "mac", "source", "model", "target", "address", "alias", "backend", "driver": break
      case "link": if child["state"] == "down" { interface["link"] = "down" }
      default: drop(child)
      }
    }
    if let own = ports[name] { interface["ports"] = .array(own) }
    interfaces.append(interface)
  }

  /// The name that `ingot export` gave it: libvirt leaves aliases that begin with `ua-` to users.
  private func ownAlias(_ element: XMLElement) -> String? {
    guard let alias = element.child("alias")?["name"], alias.hasPrefix("ua-") else { return nil }
    let name = String(alias.dropFirst(3))
    return !name.isEmpty && ImportedMachine.name(name) == name ? name : nil
  }

  private mutating func takeMetadata(_ metadata: XMLElement) {
    for child in metadata.children {
      guard child.namespace == DomainExport.namespace, child.name == "ports" else {
        drop(child)
        continue
      }
      for port in child.children("port") {
        guard let guest = port["guest"].flatMap({ Int64($0) }) else {
          fail(port, "the port forward names no port of the guest")
          continue
        }
        var forward: JSONValue = ["guest": .integer(guest)]
        forward["host"] = port["host"].flatMap { Int64($0) }.map(JSONValue.integer)
        forward["address"] = port["address"].map(JSONValue.string)
        forward["protocol"] = port["protocol"].map(JSONValue.string)
        ports[port["interface"] ?? "", default: []].append(forward)
      }
    }
  }

  // MARK: What is told

  private mutating func drop(_ element: XMLElement, _ message: String? = nil) {
    let details = element.attributes.prefix(3).map { " \($0.name)='\($0.value)'" }.joined()
    problems.append(
      Diagnostic(
        "not-mapped", message ?? "<\(element.name)\(details)> has no counterpart and is left out",
        at: span(element), severity: .warning))
  }

  private mutating func fail(_ element: XMLElement, _ message: String, help: String? = nil) {
    problems.append(Diagnostic("not-importable", message, at: span(element), help: help))
  }

  private func span(_ element: XMLElement) -> SourceSpan {
    SourceSpan(file: file, line: max(1, element.line), column: 1, length: 1)
  }
}
