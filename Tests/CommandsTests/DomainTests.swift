import Diagnostics
import DiskImage
import JSON
import QEMU
import Testing
import XML

@testable import Commands

@Suite("libvirt's domains")
struct DomainTests {
  private func map(
    _ text: String, _ options: DomainImport.Options = .init()
  ) throws -> (ImportedMachine, [Diagnostic]) {
    DomainImport.map(
      try XMLElement(parsing: Array(text.utf8)), file: "web1.xml", options: options)
  }

  /// What `virsh dumpxml` prints of a running domain of virt-install's, shortened.
  private static let live = """
    <domain type='kvm' id='3'>
      <name>Web_1</name>
      <uuid>0cb6a3cc-b0ea-446c-9e1f-102498b8d231</uuid>
      <metadata>
        <libosinfo:libosinfo xmlns:libosinfo="http://libosinfo.org/xmlns/libvirt/domain/1.0">
          <libosinfo:os id="http://debian.org/debian/12"/>
        </libosinfo:libosinfo>
      </metadata>
      <memory unit='KiB'>2097152</memory>
      <currentMemory unit='KiB'>1048576</currentMemory>
      <vcpu placement='static' current='2'>4</vcpu>
      <resource><partition>/machine</partition></resource>
      <os>
        <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
        <loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader>
        <nvram>/var/lib/libvirt/qemu/nvram/Web_1_VARS.fd</nvram>
        <boot dev='hd'/>
      </os>
      <features><acpi/><apic/><vmport state='off'/></features>
      <cpu mode='host-passthrough' check='none' migratable='on'/>
      <clock offset='utc'><timer name='rtc' tickpolicy='catchup'/></clock>
      <on_poweroff>destroy</on_poweroff>
      <on_reboot>restart</on_reboot>
      <on_crash>destroy</on_crash>
      <devices>
        <emulator>/usr/bin/qemu-system-x86_64</emulator>
        <disk type='file' device='disk'>
          <driver name='qemu' type='raw'/>
          <source file='/srv/data.img' index='2'/>
          <backingStore/>
          <target dev='vdb' bus='sata'/>
          <alias name='sata0-0-1'/>
          <address type='drive' controller='0' bus='0' target='0' unit='1'/>
        </disk>
        <disk type='file' device='disk'>
          <driver name='qemu' type='qcow2' discard='unmap'/>
          <source file='/srv/root.qcow2' index='1'/>
          <backingStore/>
          <target dev='vda' bus='virtio'/>
          <boot order='1'/>
        </disk>
        <disk type='file' device='cdrom'>
          <target dev='sda' bus='sata'/>
          <readonly/>
        </disk>
        <controller type='usb' index='0' model='qemu-xhci'/>
        <interface type='network'>
          <mac address='52:54:00:AB:cd:01'/>
          <source network='default' portid='6a1c' bridge='virbr0'/>
          <target dev='vnet0'/>
          <model type='virtio'/>
          <alias name='net0'/>
        </interface>
        <serial type='pty'><target type='isa-serial' port='0'/></serial>
        <console type='pty'><target type='serial' port='0'/></console>
        <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
        <input type='mouse' bus='ps2'/>
        <graphics type='vnc' port='5900'/>
        <memballoon model='virtio'/>
      </devices>
      <seclabel type='dynamic' model='apparmor'/>
    </domain>
    """

  @Test("a running domain becomes a machine; what has no counterpart is told with its line")
  func running() throws {
    let (machine, problems) = try map(Self.live)
    #expect(machine.name == "web-1")
    #expect(
      machine.spec == [
        "runStrategy": "Manual", "cpu": ["count": 2, "max": 4, "model": "host"],
        "memory": ["guest": "1024Mi", "max": "2048Mi"], "firmware": ["boot": "uefi"],
        "interfaces": [["name": "net0", "mac": "52:54:00:AB:cd:01"]],
      ])
    #expect(machine.disks.map(\.name) == ["vda", "vdb"])
    #expect(machine.disks.map(\.path) == ["/srv/root.qcow2", "/srv/data.img"])
    #expect(machine.disks.map(\.format) == [.qcow2, .raw])
    #expect(machine.volume(machine.disks[0]) == "web-1-vda")
    #expect(problems.allSatisfy { $0.severity == .warning && $0.span?.file == "web1.xml" })
    let told = problems.map { "\($0.span?.line ?? 0) \($0.message)" }
    #expect(
      told == [
        "2 the name 'Web_1' becomes 'web-1'", "5 <libosinfo> has no counterpart and is left out",
        "3 the UUID is not kept: the machine gets its own",
        "16 the UEFI variables are left out: the firmware begins with new ones",
        "19 <vmport state='off'> has no counterpart and is left out",
        "27 the disk vdb moves from the bus 'sata' to virtio: the guest needs the driver to boot from "
          + "it",
        "47 the interface net0 of type 'network' (default) is plugged into the network 'default'",
        "58 <graphics type='vnc' port='5900'> has no counterpart and is left out",
      ])
  }

  private func domain(_ inside: String, devices: String = "") -> String {
    "<domain type='kvm'><name>a</name><cpu mode='host-model'/>\(inside)<devices>\(devices)</devices>"
      + "</domain>"
  }

  @Test(
    "what can't be a machine is an error with its line",
    arguments: [
      ("<network/>", "not a libvirt <domain>"), ("<domain type='lxc'/>", "no QEMU machine"),
      ("<domain type='kvm'><name>...</name></domain>", "no name"),
      ("<domain type='kvm'><name>a</name><memory unit='x'>1</memory></domain>", "no size"),
      ("<domain type='kvm'><name>a</name><memory unit='TiB'>9999999</memory></domain>", "range"),
      (
        "<domain type='kvm'><name>a</name><memory>99999999999999999999</memory></domain>",
        "no size"
      ),
      ("<domain type='kvm'><name>a</name><vcpu>many</vcpu></domain>", "processors"),
      (
        "<domain type='kvm'><name>a</name><os><type arch='aarch64'>hvm</type></os></domain>",
        "x86_64"
      ),
      (
        "<domain type='kvm'><name>a</name><devices><disk type='file'><source file='/x'/>"
          + "<target dev='vda'/></disk></devices></domain>", "never guessed"
      ),
      (
        "<domain type='kvm'><name>a</name><devices><disk type='file'><source file='/x'/>"
          + "<driver type='vmdk'/><target dev='vda'/></disk></devices></domain>", "convert it"
      ),
    ])
  func errors(text: String, words: String) throws {
    let (_, problems) = try map(text)
    let errors = problems.filter { $0.severity == .error }
    #expect(!errors.isEmpty && errors.allSatisfy { $0.span?.line == 1 })
    #expect(
      errors.contains { "\($0.message) \($0.help ?? "")".contains(words) },
      "\(errors.map(\.message))")
  }

  @Test(
    "what is left out is told",
    arguments: [
      (
        "", "<disk type='block' device='disk'><source dev='/dev/sdb'/><target dev='vda'/></disk>",
        "type 'block'"
      ),
      (
        "", "<disk type='file' device='cdrom'><source file='/x.iso'/><target dev='sda'/></disk>",
        "cdrom sda"
      ),
      ("", "<hostdev mode='subsystem' type='pci'/>", "<hostdev mode='subsystem' type='pci'>"),
      (
        "", "<interface type='bridge'><source bridge='br0'/><model type='e1000'/></interface>",
        "e1000"
      ),
      ("", "<interface type='user'><bandwidth/></interface>", "<bandwidth>"),
      (
        "",
        "<disk type='file'><driver type='raw'/><source file='/x'/><target dev='vda'/>"
          + "<iotune><read_iops_sec>5</read_iops_sec></iotune></disk>", "<read_iops_sec>"
      ),
      ("<memory unit='KB'>20000</memory>", "", "whole mebibytes"),
      ("<clock offset='localtime'/>", "", "UTC"), ("<on_crash>preserve</on_crash>", "", "preserve"),
      ("<numatune/>", "", "<numatune>"), ("<os><boot dev='network'/></os>", "", "network"),
      ("<os><type machine='pc-i440fx-7.2'>hvm</type></os>", "", "q35"),
      ("<os><kernel>/vmlinuz</kernel></os>", "", "<kernel>"),
      ("<vcpu cpuset='0-3'>4</vcpu>", "", "cpuset"),
      ("<sysinfo type='smbios'/>", "", "<sysinfo type='smbios'>"), ("", "", "no disk"),
    ])
  func left(inside: String, devices: String, words: String) throws {
    let (_, problems) = try map(domain(inside, devices: devices))
    #expect(problems.allSatisfy { $0.severity == .warning })
    #expect(problems.contains { $0.message.contains(words) }, "\(problems.map(\.message))")
  }

  @Test("options name the machine, its network and its pool")
  func options() throws {
    let text = domain(
      "",
      devices: "<disk type='file'><driver type='raw'/><source file='/x'/><target dev='vda'/></disk>"
        + "<interface type='user'/>")
    let (machine, _) = try map(text, .init(name: "b", network: "lab", pool: "fast"))
    #expect(machine.name == "b")
    #expect(machine.spec["interfaces"] == [["name": "net0", "network": "lab"]])
    #expect(machine.documents.first?["spec"]?["pool"]?.string == "fast")
    #expect(machine.documents.last?["spec"]?["disks"] == [["name": "vda", "volume": "b-vda"]])
  }

  @Test("export and import of a machine give the same machine")
  func roundTrip() throws {
    let spec = MachineSpec(
      name: "web1", uuid: "0cb6a3cc-b0ea-446c-9e1f-102498b8d231", cpus: 2, maximumCPUs: 4,
      cpuModel: "Haswell", memory: 512 << 20, maximumMemory: 1 << 30, accelerator: .kvm,
      firmware: .uefi(code: "/c.fd", variables: "/v.fd"),
      disks: [
        .init(
          id: "disk-root", layers: [.init(path: "/a & b.qcow2", format: .qcow2)], serial: "root",
          bootIndex: 0),
        .init(id: "disk-data", layers: [.init(path: "/d.raw", format: .raw)], bootIndex: 1),
      ],
      interfaces: [
        .init(
          id: "net-lan", mac: "52:54:00:00:00:01",
          backend: .user(forwards: [
            .init(transport: .udp, hostAddress: "0.0.0.0", hostPort: 53, guestPort: 53)
          ]))
      ])
    let domain = DomainExport(machine: spec, emulator: "/usr/bin/qemu").domain
    let (machine, problems) = try map(domain.document())
    #expect(
      problems.map(\.message) == [
        "the UUID is not kept: the machine gets its own",
        "the UEFI variables are left out: the firmware begins with new ones",
      ])
    #expect(machine.name == "web1")
    #expect(machine.disks.map(\.name) == ["root", "data"])
    #expect(machine.disks.map(\.path) == ["/a & b.qcow2", "/d.raw"])
    #expect(
      machine.spec == [
        "runStrategy": "Manual", "cpu": ["count": 2, "max": 4, "model": "Haswell"],
        "memory": ["guest": "512Mi", "max": "1024Mi"], "firmware": ["boot": "uefi"],
        "interfaces": [
          [
            "name": "lan", "mac": "52:54:00:00:00:01",
            "ports": [["guest": 53, "host": 53, "address": "0.0.0.0", "protocol": "udp"]],
          ]
        ],
      ])
  }

  @Test(
    "names become names",
    arguments: [
      ("Web_1", "web-1"), ("..a..", "a"), ("ünï", "n"), ("---", ""),
      (String(repeating: "a", count: 70), String(repeating: "a", count: 63)),
    ])
  func names(text: String, name: String) { #expect(ImportedMachine.name(text) == name) }
}
