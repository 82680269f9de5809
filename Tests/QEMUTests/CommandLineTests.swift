import JSON
import QEMU
import SystemIO
import Testing

@Suite("QEMU's command line")
struct CommandLineTests {
  static let full = MachineSpec(
    name: "web,1", uuid: "6b1f0a52-7d43-4d7c-9d53-0e6a6f9c1a11", cpus: 2, maximumCPUs: 4,
    memory: 512 << 20, maximumMemory: 1 << 30, accelerator: .tcg,
    firmware: .direct(kernel: "/i/vmlinuz", initrd: "/i/initrd", commandLine: "root=/dev/vda ro"),
    disks: [
      MachineSpec.Disk(
        id: "root",
        layers: [
          MachineSpec.Layer(path: "/v/a,b:\"c\".qcow2", format: .qcow2),
          MachineSpec.Layer(path: "/i/base.qcow2", format: .qcow2),
        ], serial: "web1-root", bootIndex: 0,
        limits: MachineSpec.DiskLimits(bytesPerSecond: 1 << 20, operationsPerSecond: 100)),
      MachineSpec.Disk(
        id: "seed", layers: [MachineSpec.Layer(path: "/v/seed.iso", format: .raw)],
        device: .seed),
    ],
    interfaces: [
      MachineSpec.Interface(
        id: "lan", mac: "52:54:00:00:00:01",
        backend: .user(
          subnet: "10.77.0.0/24", guestAddress: "10.77.0.11", domain: "lab.example",
          forwards: [
            MachineSpec.HostForward(hostPort: 8080, guestPort: 80),
            MachineSpec.HostForward(
              transport: .udp, hostAddress: "0.0.0.0", hostPort: 5353, guestPort: 53),
          ]), isConnected: false),
      MachineSpec.Interface(
        id: "dmz", mac: "52:54:00:00:00:02",
        backend: .tap(network: "/n/dmz", port: "web1/dmz", mtu: 65_520)),
      MachineSpec.Interface(
        id: "db", mac: "52:54:00:00:00:03",
        backend: .tap(network: "/n/db", port: "web1/db", mtu: 1500)),
    ], spareSlots: 1)

  static let descriptors = GuestDescriptors(qmp: 3, console: 4, agent: 5, firstTap: 6)

  static let consoleLog = "/m/web,1/console.log"

  static let golden = """
    -name guest=web,,1,debug-threads=on
    -uuid 6b1f0a52-7d43-4d7c-9d53-0e6a6f9c1a11
    -nodefaults
    -no-user-config
    -display none
    -S
    -msg timestamp=on
    -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny
    -action reboot=reset,shutdown=poweroff,panic=shutdown
    -global ICH9-LPC.disable_s3=1
    -global ICH9-LPC.disable_s4=1
    -accel tcg,thread=multi,tb-size=64
    -cpu max
    -smp 2,maxcpus=4
    -machine q35,usb=off,vmport=off,dump-guest-core=off,memory-backend=ram0
    -m size=536870912b,maxmem=1073741824b
    -object memory-backend-memfd,id=ram0,size=536870912,share=on,prealloc=off,merge=off
    -object memory-backend-memfd,id=ram1,size=536870912,share=on,prealloc=off,merge=off
    -kernel /i/vmlinuz
    -initrd /i/initrd
    -append root=/dev/vda ro
    -chardev socket,id=qmp,fd=3,server=on,wait=off
    -mon chardev=qmp,mode=control
    -chardev socket,id=console,fd=4,server=on,wait=off,\
    logfile=/m/web,,1/console.log,logappend=on
    -serial chardev:console
    -chardev socket,id=agent,fd=5,server=on,wait=off
    -device pcie-root-port,id=port-lan,bus=pcie.0,addr=0x2.0,chassis=1,multifunction=on
    -device pcie-root-port,id=port-dmz,bus=pcie.0,addr=0x2.1,chassis=2
    -device pcie-root-port,id=port-db,bus=pcie.0,addr=0x2.2,chassis=3
    -device pcie-root-port,id=port-root,bus=pcie.0,addr=0x6.0,chassis=64,multifunction=on
    -device pcie-root-port,id=port-spare0,bus=pcie.0,addr=0x10.0,chassis=192,multifunction=on
    -blockdev {"driver":"file","node-name":"root_layer1_file","filename":"/i/base.qcow2",\
    "read-only":true,"locking":"auto"}
    -blockdev {"driver":"qcow2","node-name":"root_layer1","file":"root_layer1_file",\
    "read-only":true,"backing":null}
    -blockdev {"driver":"file","node-name":"root_file","filename":"/v/a,b:\\"c\\".qcow2",\
    "read-only":false,"locking":"auto","discard":"unmap"}
    -blockdev {"driver":"qcow2","node-name":"root","file":"root_file","read-only":false,\
    "discard":"unmap","backing":"root_layer1"}
    -device {"driver":"virtio-blk-pci","id":"root-device","bus":"port-root","drive":"root",\
    "werror":"stop","rerror":"stop","serial":"web1-root","bootindex":0}
    -blockdev {"driver":"file","node-name":"seed_file","filename":"/v/seed.iso",\
    "read-only":true,"locking":"auto"}
    -blockdev {"driver":"raw","node-name":"seed","file":"seed_file","read-only":true}
    -device {"driver":"virtio-blk-pci","id":"seed-device","bus":"pcie.0","addr":"0x17",\
    "drive":"seed"}
    -netdev user,id=lan,net=10.77.0.0/24,dhcpstart=10.77.0.11,domainname=lab.example,\
    hostfwd=tcp:127.0.0.1:8080-:80,hostfwd=udp:0.0.0.0:5353-:53
    -device {"driver":"virtio-net-pci","id":"lan-device","bus":"port-lan","netdev":"lan",\
    "mac":"52:54:00:00:00:01"}
    -netdev tap,id=dmz,fd=6,vhost=off
    -device {"driver":"virtio-net-pci","id":"dmz-device","bus":"port-dmz","netdev":"dmz",\
    "mac":"52:54:00:00:00:02","host_mtu":65520}
    -netdev tap,id=db,fd=7,vhost=off
    -device {"driver":"virtio-net-pci","id":"db-device","bus":"port-db","netdev":"db",\
    "mac":"52:54:00:00:00:03","host_mtu":1500}
    -device virtio-balloon-pci,id=balloon,bus=pcie.0,addr=0x18,free-page-reporting=on,\
    deflate-on-oom=on
    -device virtio-rng-pci,id=rng,bus=pcie.0,addr=0x19
    -device virtio-serial-pci,id=serial,bus=pcie.0,addr=0x1a
    -device virtserialport,bus=serial.0,nr=1,chardev=agent,name=org.qemu.guest_agent.0,id=agent-port
    -device pvpanic-pci,bus=pcie.0,addr=0x1b
    -device virtio-mem-pci,id=memory,memdev=ram1,node=0,requested-size=0,bus=pcie.0,addr=0x1c
    """

  /// One option a line, its value beside it.
  static func lines(_ arguments: [String]) -> String {
    var lines: [String] = []
    for argument in arguments {
      let isOption = argument.hasPrefix("-")
      if isOption || lines.isEmpty {
        lines.append(argument)
      } else {
        lines[lines.count - 1] += " \(argument)"
      }
    }
    return lines.joined(separator: "\n")
  }

  private static func lines(_ machine: MachineSpec) -> String {
    lines(machine.arguments(descriptors: descriptors, consoleLog: consoleLog))
  }

  @Test("A machine with everything gives exactly these arguments")
  func everything() {
    #expect(Self.lines(Self.full) == Self.golden)
  }

  @Test("Exactly one accelerator is passed, with the processor that goes with it")
  func accelerators() {
    var machine = Self.full
    machine.accelerator = .kvm
    let kvm = Self.lines(machine)
    #expect(kvm.contains("-accel kvm\n-cpu host\n"))
    #expect(kvm.contains("hpet=off"))
    #expect(!kvm.contains("tcg"))
    machine.accelerator = .tcg
    machine.cpuModel = "host"
    #expect(Self.lines(machine).contains("-cpu max\n"))
    machine.cpuModel = "Skylake-Client"
    #expect(Self.lines(machine).contains("-cpu Skylake-Client\n"))
  }

  @Test("UEFI gets its code read only and a variable store of its own")
  func uefi() {
    var machine = Self.full
    machine.firmware = .uefi(code: "/f/code.fd", variables: "/v/vars.fd")
    let text = Self.lines(machine)
    #expect(text.contains("pflash0=firmware-code,pflash1=firmware-variables"))
    #expect(
      text.contains(
        "\"node-name\":\"firmware-code\",\"filename\":\"/f/code.fd\",\"read-only\":true"))
    #expect(
      text.contains(
        "\"node-name\":\"firmware-variables\",\"filename\":\"/v/vars.fd\",\"read-only\":false"))
    #expect(!text.contains("-kernel"))
  }

  @Test(
    "A machine is the same after JSON",
    arguments: [
      MachineSpec.Firmware.bios, .direct(kernel: "k", initrd: nil, commandLine: ""),
      .uefi(code: "c", variables: "v"),
    ])
  func roundTrip(firmware: MachineSpec.Firmware) throws {
    var machine = Self.full
    machine.firmware = firmware
    let text = machine.json.text()
    #expect(try MachineSpec(JSONReader(JSONValue(parsing: text))) == machine)
  }

  @Test("A network card that was written before there were taps is on the user network")
  func earlierInterface() throws {
    var json = Self.full.json
    json["interfaces"] = [
      [
        "id": "lan", "mac": "52:54:00:00:00:01", "subnet": "10.77.0.0/24",
        "guestAddress": "10.77.0.11", "domain": "lab.example",
        "forwards": [
          [
            "transport": "tcp", "hostAddress": "127.0.0.1", "hostPort": 8080, "guestPort": 80,
          ]
        ], "isConnected": false,
      ]
    ]
    #expect(
      try MachineSpec(JSONReader(json)).interfaces == [
        MachineSpec.Interface(
          id: "lan", mac: "52:54:00:00:00:01",
          backend: .user(
            subnet: "10.77.0.0/24", guestAddress: "10.77.0.11", domain: "lab.example",
            forwards: [MachineSpec.HostForward(hostPort: 8080, guestPort: 80)]),
          isConnected: false)
      ])
  }

  @Test(
    "JSON that is no machine is refused with the place",
    arguments: [
      ("cpus", JSONValue.integer(0), "'cpus' should be an integer from 1 to 4096"),
      ("memory", .string("1Gi"), "'memory' should be an integer"),
      ("disks", [["id": "a"]], "'disks[0].layers' should be there"),
      ("accelerator", .string("kvm:tcg"), "'accelerator' should be one of kvm, tcg"),
      ("firmware", ["boot": "coreboot"], "'firmware.boot' should be direct, bios or uefi"),
      (
        "interfaces", [["id": "a", "mac": "m", "backend": "macvtap"]],
        "'interfaces[0].backend' should be user or tap"
      ),
      (
        "interfaces",
        [["id": "a", "mac": "m", "backend": "tap", "network": "/n", "port": "p", "mtu": 67]],
        "'interfaces[0].mtu' should be an integer from 68 to 65535"
      ),
    ] as [(String, JSONValue, String)])
  func refused(name: String, value: JSONValue, message: String) {
    var json = Self.full.json
    json[name] = value
    let error = #expect(throws: JSONShapeError.self) { try MachineSpec(JSONReader(json)) }
    #expect(error?.description.hasPrefix(message) == true, "\(String(describing: error))")
  }
}
