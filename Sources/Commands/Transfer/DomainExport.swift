internal import JSON
internal import QEMU
internal import Resources
internal import XML

/// A machine as a libvirt domain (https://libvirt.org/formatdomain.html); pure.
struct DomainExport {
  /// The namespace of what a domain has no element for.
  static let namespace = "urn:ingot:domain:1"

  /// The machine as QEMU gets it.
  var machine: MachineSpec
  /// QEMU's program.
  var emulator: String

  /// The domain.
  var domain: XMLElement {
    let maximum = max(machine.memory, machine.maximumMemory)
    var children = [
      XMLElement("name", text: machine.name), XMLElement("uuid", text: machine.uuid),
    ]
    children += metadata
    children += [
      size("memory", maximum), size("currentMemory", machine.memory), processors,
      operatingSystem, XMLElement("features", [:], [XMLElement("acpi"), XMLElement("apic")]), model,
      XMLElement("clock", ["offset": "utc"]), XMLElement("on_poweroff", text: "destroy"),
      XMLElement("on_reboot", text: "restart"), XMLElement("on_crash", text: "destroy"),
      XMLElement("devices", [:], devices),
    ]
    return XMLElement(
      "domain", ["type": machine.accelerator == .kvm ? "kvm" : "qemu"], children)
  }

  private func size(_ name: String, _ bytes: Int) -> XMLElement {
    XMLElement(name, ["unit": "KiB"], text: "\(bytes / 1024)")
  }

  private var processors: XMLElement {
    var element = XMLElement("vcpu", ["placement": "static"], text: "\(machine.maximumCPUs)")
    if machine.cpus < machine.maximumCPUs {
      element.attributes.append(.init(name: "current", value: "\(machine.cpus)"))
    }
    return element
  }

  private var model: XMLElement {
    if let model = machine.cpuModel {
      return XMLElement(
        "cpu", ["mode": "custom", "match": "exact"],
        [XMLElement("model", ["fallback": "allow"], text: model)])
    }
    return XMLElement(
      "cpu", ["mode": machine.accelerator == .kvm ? "host-passthrough" : "maximum"])
  }

  private var operatingSystem: XMLElement {
    var system = XMLElement(
      "os", [:], [XMLElement("type", ["arch": "x86_64", "machine": "q35"], text: "hvm")])
    switch machine.firmware {
    case .bios: break
    case .direct(let kernel, let initialRAMDisk, let commandLine):
      system.children.append(XMLElement("kernel", text: kernel))
      if let initialRAMDisk {
        system.children.append(XMLElement("initrd", text: initialRAMDisk))
      }
      system.children.append(XMLElement("cmdline", text: commandLine))
    case .uefi(let code, let variables):
      system.children += [
        XMLElement("loader", ["readonly": "yes", "type": "pflash"], text: code),
        XMLElement("nvram", text: variables),
      ]
    }
    return system
  }

  private var devices: [XMLElement] {
    [XMLElement("emulator", text: emulator)]
      + machine.disks.enumerated().map { disk($1, index: $0) }
      + machine.interfaces.map(interface) + [
        XMLElement("serial", ["type": "pty"], [XMLElement("target", ["port": "0"])]),
        XMLElement(
          "console", ["type": "pty"], [XMLElement("target", ["type": "serial", "port": "0"])]),
        XMLElement(
          "channel", ["type": "unix"],
          [XMLElement("target", ["type": "virtio", "name": "org.qemu.guest_agent.0"])]),
        XMLElement("memballoon", ["model": "virtio"]),
        XMLElement(
          "rng", ["model": "virtio"],
          [XMLElement("backend", ["model": "random"], text: "/dev/urandom")]),
        XMLElement("panic", ["model": "isa"]),
      ]
  }

  private func disk(_ disk: MachineSpec.Disk, index: Int) -> XMLElement {
    guard let top = disk.layers.first else { return XMLElement("disk") }
    var children = [
      XMLElement(
        "driver",
        [
          "name": "qemu", "type": top.format.rawValue,
          "discard": disk.discard ? "unmap" : "ignore",
        ]), XMLElement("source", ["file": top.path]), backing(disk.layers.dropFirst()),
      XMLElement("target", ["dev": Self.device(index), "bus": "virtio"]),
    ]
    if let serial = disk.serial { children.append(XMLElement("serial", text: serial)) }
    let limits = [
      ("total_bytes_sec", disk.limits.bytesPerSecond),
      ("total_iops_sec", disk.limits.operationsPerSecond),
    ].filter { $0.1 > 0 }.map { XMLElement($0.0, text: "\($0.1)") }
    if !limits.isEmpty { children.append(XMLElement("iotune", [:], limits)) }
    if disk.readOnly { children.append(XMLElement("readonly")) }
    // libvirt counts from 1.
    if let order = disk.bootIndex {
      children.append(XMLElement("boot", ["order": "\(order + 1)"]))
    }
    if disk.device == .virtio {
      children.append(XMLElement("alias", ["name": "ua-\(Self.name(disk.id))"]))
    }
    return XMLElement("disk", ["type": "file", "device": "disk"], children)
  }

  private func backing(_ layers: ArraySlice<MachineSpec.Layer>) -> XMLElement {
    guard let layer = layers.first else { return XMLElement("backingStore") }
    return XMLElement(
      "backingStore", ["type": "file"],
      [
        XMLElement("format", ["type": layer.format.rawValue]),
        XMLElement("source", ["file": layer.path]), backing(layers.dropFirst()),
      ])
  }

  private func interface(_ interface: MachineSpec.Interface) -> XMLElement {
    XMLElement(
      "interface", ["type": "user"],
      [
        XMLElement("mac", ["address": interface.mac]), XMLElement("model", ["type": "virtio"]),
        XMLElement("link", ["state": interface.isConnected ? "up" : "down"]),
        XMLElement("alias", ["name": "ua-\(Self.name(interface.id))"]),
      ])
  }

  /// Port forwards: libvirt knows none for QEMU's own user network.
  private var metadata: [XMLElement] {
    let ports = machine.interfaces.flatMap { interface in
      interface.forwards.map { forward in
        XMLElement(
          "ingot:port",
          [
            "interface": Self.name(interface.id), "protocol": forward.transport.rawValue,
            "address": forward.hostAddress, "host": "\(forward.hostPort)",
            "guest": "\(forward.guestPort)",
          ])
      }
    }
    if ports.isEmpty { return [] }
    return [
      XMLElement(
        "metadata", [:],
        [XMLElement("ingot:ports", ["xmlns:ingot": Self.namespace], ports)])
    ]
  }

  /// The name in the manifest: QEMU's has a prefix.
  private static func name(_ id: String) -> String {
    id.split(separator: "-", maxSplits: 1).last.map(String.init) ?? id
  }

  /// `vda`, `vdb`, after `vdz` `vdaa`.
  private static func device(_ index: Int) -> String {
    var letters = ""
    var rest = index
    repeat {
      letters = String(UnicodeScalar(UInt8(97 + rest % 26))) + letters
      rest = rest / 26 - 1
    } while rest >= 0
    return "vd" + letters
  }

  /// Fields that a domain can't tell, in words.
  static func untold(_ spec: JSONValue) -> [String] {
    var untold: [String] = []
    if spec["cloudInit"]?.isNull == false {
      untold.append("cloudInit: its seed is exported as a read-only disk")
    }
    if spec["readinessProbe"]?.isNull == false { untold.append("readinessProbe") }
    if let pool = spec["resourcePool"]?.string, pool != "default" { untold.append("resourcePool") }
    if let strategy = spec["runStrategy"]?.string, strategy != "Manual" {
      untold.append("runStrategy \(strategy)")
    }
    return untold
  }
}
