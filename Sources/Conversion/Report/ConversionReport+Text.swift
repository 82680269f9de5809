extension ConversionReport {
  /// The report for people: a few lines, and a line for each thing that is not as it was.
  public var text: String {
    var lines = [
      "\(source) (\(mode)): \(counts.files) files, \(counts.directories) directories, "
        + "\(counts.symbolicLinks) links, \(Self.mebibytes(counts.contentBytes)) of content",
      "image: \(image.format), disk \(Self.mebibytes(image.virtualSize)), "
        + "file \(Self.mebibytes(image.fileSize)), sha256 \(image.digest)",
    ]
    lines += image.partitions.map { partition in
      let name = partition.target == "/" ? "root" : partition.target
      return "\(name): UUID=\(partition.uuid), \(Self.mebibytes(partition.freeSize)) free"
    }
    if let kernel {
      lines.append("kernel: \(kernel.version) (\(kernel.path)), \(kernel.arguments)")
    }
    lines += fixUps.map { "changed on purpose: \($0.name): \($0.change)" }
    lines += excluded.map { "left out: \($0.path): \($0.reason)" }
    lines += warnings.map { "warning: \($0)" }
    lines += changed.map { "altered: \($0.path): \($0.reason)" }
    lines += dropped.map { "dropped: \($0.path): \($0.reason)" }
    let times = phases.map { phase in
      let rate = phase.bytesPerSecond.map { " at \(Self.mebibytes($0))/s" } ?? ""
      return "\(phase.name) \(Self.seconds(phase.nanoseconds))\(rate)"
    }
    lines.append(
      "time: \(Self.seconds(nanoseconds)) (\(times.joined(separator: ", "))), "
        + "\(Self.mebibytes(bytesPerSecond))/s")
    return lines.joined(separator: "\n") + "\n"
  }

  private static func mebibytes(_ bytes: Int) -> String {
    let tenths = bytes / (1 << 20) * 10 + bytes % (1 << 20) * 10 / (1 << 20)
    return "\(tenths / 10).\(tenths % 10) MiB"
  }

  private static func seconds(_ nanoseconds: UInt64) -> String {
    let hundredths = nanoseconds / 10_000_000
    return "\(hundredths / 100).\(hundredths / 10 % 10)\(hundredths % 10) s"
  }
}
