internal import JSON

extension Schema {
  static let virtualMachine = Schema(
    .virtualMachine, "A virtual machine.",
    [
      Field(
        "runStrategy", .choice(["Always", "RerunOnFailure", "Manual", "Halted"]),
        default: "Always", effect: .live,
        "When the guest runs: always, again after a failure, as commands say, never (it is shut down)."
      ),
      Field(
        "resourcePool", .reference(.resourcePool), default: "default", effect: .live,
        "The resource pool it is billed to."),
      Field("cpu", .object(cpuFields), default: [:], "The processors."),
      Field("memory", .object(memoryFields), default: [:], "The memory."),
      Field(
        "firmware",
        .object([
          Field(
            "boot", .choice(["direct", "bios", "uefi"]), default: "direct", effect: .nextBoot,
            "How it boots: by the image's kernel handed to it, by SeaBIOS, by OVMF.")
        ]), default: [:], "What runs before the guest's kernel."),
      Field(
        "disks", .keyedList(key: "name", diskFields), default: [], effect: .nextBoot,
        live: .devices,
        "The disks, in order; the first is booted from."),
      Field(
        "interfaces", .keyedList(key: "name", interfaceFields), default: [], effect: .nextBoot,
        live: .devices,
        "The network interfaces, in order."),
      Field("cloudInit", .object(cloudInitFields), "What cloud-init in the guest is told."),
      Field(
        "readinessProbe", .object(probeFields),
        "When the guest counts as ready; left out, as soon as it runs."),
      Field(
        "terminationGracePeriod", .seconds(0...86_400), default: 30, effect: .live,
        "How long a shutdown may take before the guest is killed."),
      Field("updatePolicy", .object(policyFields), default: [:], "What a change may do to it."),
      lifecycle,
    ])

  private static let policyFields = [
    Field(
      "restart", .choice(["Never", "WhenStopped", "Automatic"]), default: "WhenStopped",
      "When a change needs a restart: refuse it while the guest runs, keep it for the next boot, "
        + "restart at once."),
    Field(
      "replace", .choice(["Forbid", "Allow"]), default: "Forbid",
      "Whether a change may destroy the machine with its own disks and make it anew."),
  ]

  private static let cpuFields = [
    Field(
      "count", .integer(1...255), default: 1, effect: .nextBoot, live: .processors,
      "Processors; raised while the guest runs, lowered at its next boot."),
    Field(
      "max", .integer(1...255), effect: .nextBoot,
      "Processors at most; left out, as many as count."),
    Field(
      "model", .text(.word), default: "host", effect: .nextBoot,
      "host, or a model of QEMU's such as Haswell."),
    Field(
      "reservation", .millicores(cpuAmounts), default: 0, effect: .live,
      "CPU that is guaranteed."),
  ]

  private static let memoryFields = [
    Field(
      "guest", .bytes(memorySizes), default: .integer(512 << 20), effect: .nextBoot, live: .memory,
      "The guest's memory, in whole mebibytes."),
    Field(
      "max", .bytes(memorySizes), effect: .nextBoot,
      "Memory at most; left out, as much as guest."),
    Field(
      "reservation", .bytes(memoryAmounts), default: 0, effect: .live,
      "Memory that is guaranteed."),
  ]

  private static let diskFields = [
    Field(
      "name", .text(.name), required: true, effect: .nextBoot, live: .devices,
      "The name, unique in the machine; under another one it is another disk."),
    Field(
      "image", .reference(.image), effect: .replace,
      "Make the disk as a thin clone of this image."),
    Field(
      "volume", .reference(.volume), effect: .nextBoot,
      "Use this volume; with neither image nor volume the disk is empty at first."),
    Field(
      "size", .bytes(diskSizes), effect: .live, shrinking: .refused, follows: "volume",
      wayRound: "a disk can only grow; declare a new, smaller disk and copy the data",
      "The size; left out, the image's; it can grow while the guest runs, and never shrink."),
    Field(
      "pool", .reference(.storagePool), default: "default", effect: .refused,
      wayRound: "declare a new disk in that pool and copy the data",
      "The storage pool of a clone or an empty disk."),
    Field(
      "limits",
      .object([
        Field(
          "bandwidth", .bytes(diskRates), effect: .live,
          "Bytes a second, read and written together; left out, no limit."),
        Field(
          "iops", .integer(1...1_000_000_000), effect: .live,
          "Requests a second, reads and writes together; left out, no limit."),
      ]), "How fast the disk may be."),
  ]

  private static let cloudInitFields = [
    Field(
      "secrets", .keyedList(key: "name", secretFields), effect: .nextBoot,
      "Values that are kept out of state, plans and logs: `${secret.NAME}` in the data below."),
    Field(
      "userData", .any, effect: .nextBoot,
      "User data: fields of a #cloud-config, or a text passed on as it is."),
    Field(
      "networkData", .any, effect: .nextBoot,
      "Network configuration; left out, DHCP on every interface."),
  ]

  private static let secretFields = [
    Field(
      "name", .text(.name), required: true, effect: .nextBoot, "The name, unique in the machine."),
    Field(
      "file", .text(.path), effect: .nextBoot,
      "Read it from this file. A relative path starts at the manifest's directory."),
    Field(
      "env", .text(.word), effect: .nextBoot, "Read it from this variable of ingot's environment."),
    Field(
      "command", .list(.text(.plain)), effect: .nextBoot,
      "Read it from the output of this program with its arguments; no shell is involved."),
  ]

  private static let probeFields = [
    Field("guestAgent", .object([]), effect: .live, "Ready when the guest agent answers."),
    Field(
      "tcp",
      .object([
        Field("port", .integer(ports), required: true, effect: .live, "The guest's port.")
      ]), "Ready when a port accepts connections."),
    Field(
      "exec",
      .object([
        Field(
          "command", .list(.text(.plain)), required: true, effect: .live,
          "The program and its arguments.")
      ]), "Ready when a command, run by the guest agent, succeeds."),
    Field(
      "console",
      .object([
        Field(
          "pattern", .text(.plain), required: true, effect: .live, "The text that is looked for.")
      ]), "Ready when a text appears on the serial console."),
    Field(
      "timeout", .seconds(1...86_400), default: 180, effect: .live,
      "How long to wait from the start."),
    Field(
      "period", .seconds(1...3600), default: 5, effect: .live, "How long between two tries."),
  ]
}
