public import JSON

extension ConversionReport {
  /// The report as JSON, members in a fixed order.
  public var json: JSONValue {
    [
      "source": .string(source), "mode": .string(mode), "exitCode": .integer(Int64(exitCode)),
      "counts": countsJSON, "image": imageJSON, "kernel": kernelJSON,
      "dropped": Self.items(dropped), "changed": Self.items(changed),
      "excluded": Self.items(excluded), "warnings": .array(warnings.map { .string($0) }),
      "fixUps": .array(
        fixUps.map { ["name": .string($0.name), "change": .string($0.change)] }),
      "phases": .array(phases.map(Self.phase)),
      "seconds": .number(Self.seconds(nanoseconds)),
      "bytesPerSecond": .integer(Int64(bytesPerSecond)),
    ]
  }

  private var countsJSON: JSONValue {
    [
      "directories": .integer(Int64(counts.directories)), "files": .integer(Int64(counts.files)),
      "hardLinks": .integer(Int64(counts.hardLinks)),
      "symbolicLinks": .integer(Int64(counts.symbolicLinks)),
      "devices": .integer(Int64(counts.devices)),
      "pipesAndSockets": .integer(Int64(counts.pipesAndSockets)),
      "extendedAttributes": .integer(Int64(counts.extendedAttributes)),
      "contentBytes": .integer(Int64(counts.contentBytes)),
    ]
  }

  private var imageJSON: JSONValue {
    [
      "format": .string(image.format), "virtualSize": .integer(Int64(image.virtualSize)),
      "fileSize": .integer(Int64(image.fileSize)), "sha256": .string(image.digest),
      "verified": .bool(image.isVerified),
      "rootUUID": .string(image.rootUUID), "partitionUUID": .string(image.partitionUUID),
      "diskGUID": .string(image.diskGUID), "freeSize": .integer(Int64(image.freeSize)),
      "partitions": .array(
        image.partitions.map { partition in
          [
            "target": .string(partition.target), "uuid": .string(partition.uuid),
            "partitionUUID": .string(partition.partitionUUID),
            "size": .integer(Int64(partition.size)),
            "freeSize": .integer(Int64(partition.freeSize)),
          ]
        }),
    ]
  }

  private static func phase(_ phase: Phase) -> JSONValue {
    [
      "name": .string(phase.name), "seconds": .number(seconds(phase.nanoseconds)),
      "bytes": JSONValue(phase.bytes), "bytesPerSecond": JSONValue(phase.bytesPerSecond),
    ]
  }

  private var kernelJSON: JSONValue {
    guard let kernel else { return nil }
    return [
      "version": .string(kernel.version), "path": .string(kernel.path),
      "initialRAMDisk": JSONValue(kernel.initialRAMDisk), "arguments": .string(kernel.arguments),
    ]
  }

  private static func items(_ items: [Item]) -> JSONValue {
    .array(items.map { ["path": .string($0.path), "reason": .string($0.reason)] })
  }

  private static func seconds(_ nanoseconds: UInt64) -> Double {
    Double(nanoseconds / 1_000_000) / 1000
  }
}
