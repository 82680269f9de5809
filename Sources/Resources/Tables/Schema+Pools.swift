internal import JSON

extension Schema {
  static let storagePool = Schema(
    .storagePool, "Where images and volumes live.",
    [
      Field(
        "type", .choice(["dir"]), default: "dir", effect: .refused,
        wayRound: "declare a second pool", "What keeps the data."),
      Field(
        "path", .text(.path), effect: .refused,
        wayRound: "declare a second pool with that path and move the volumes",
        "The directory; left out, one below ingot's own directory."),
      lifecycle,
    ])

  static let resourcePool = Schema(
    .resourcePool, "A part of the host's CPU and memory that machines are billed to.",
    [
      Field(
        "parent", .reference(.resourcePool), effect: .live,
        "The pool above; left out, the host itself."),
      Field(
        "cpu",
        .object(
          shareFields(
            .millicores(cpuAmounts), reservation: "CPU that is guaranteed.",
            limit: "CPU at most.")),
        default: [:], "The part of the processors."),
      Field(
        "memory",
        .object(
          shareFields(
            .bytes(memoryAmounts), reservation: "Memory that is guaranteed.",
            limit: "Memory at most.")),
        default: [:], "The part of the memory."),
      lifecycle,
    ])

  private static func shareFields(
    _ type: FieldType, reservation: String, limit: String
  ) -> [Field] {
    [
      Field(
        "shares", .integer(1...10_000), default: 1000, effect: .live,
        "Weight against the pools beside it when there is not enough for all."),
      Field("reservation", type, default: 0, effect: .live, reservation),
      Field("limit", type, effect: .live, limit + " Left out, no ceiling of its own."),
      Field(
        "expandable", .bool, default: true, effect: .live,
        "Whether those below may borrow unreserved capacity from the pools above."),
    ]
  }

  static let volume = Schema(
    .volume, "A disk with a life of its own.",
    [
      Field(
        "pool", .reference(.storagePool), default: "default", effect: .refused,
        wayRound: "declare a new volume in that pool and copy the data",
        "The storage pool it is kept in."),
      Field(
        "size", .bytes(diskSizes), required: true, effect: .live, shrinking: .refused,
        wayRound: "a disk can only grow; declare a new, smaller volume and copy the data",
        "The size; it can grow while the guest runs, and never shrink."),
      Field(
        "format", .choice(["qcow2", "raw"]), default: "qcow2", effect: .refused,
        wayRound: "declare a new volume of that format and copy the data",
        "The format: qcow2 takes only the space that is used."),
      lifecycle,
    ])
}
