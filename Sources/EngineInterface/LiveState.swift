internal import JSON
public import Resources

/// What a running guest's machine is and has room for: on this it depends whether a change can take
/// effect at once.
///
/// An engine reports it with the guest's status, so that a plan can promise; and it asks itself again
/// when it acts.
public struct LiveState: Sendable, Hashable {
  /// Processors the guest has.
  public var processors: Int64
  /// Processors it has places for.
  public var maximumProcessors: Int64
  /// Memory it was started with, in bytes.
  public var baseMemory: Int64
  /// Memory it has room for, in bytes.
  public var maximumMemory: Int64
  /// The steps in which it is given more than it was started with, in bytes; at least 1.
  public var memoryStep: Int64
  /// Disks and network cards that can still be plugged in.
  public var freePorts: Int
  /// The disk it was booted from.
  public var bootDisk: String?
  /// Whether its guest agent answers.
  public var hasAgent: Bool

  /// Describes a running guest's machine.
  public init(
    processors: Int64, maximumProcessors: Int64, baseMemory: Int64, maximumMemory: Int64,
    memoryStep: Int64, freePorts: Int, bootDisk: String?, hasAgent: Bool
  ) {
    self.processors = processors
    self.maximumProcessors = maximumProcessors
    self.baseMemory = baseMemory
    self.maximumMemory = maximumMemory
    self.memoryStep = memoryStep
    self.freePorts = freePorts
    self.bootDisk = bootDisk
    self.hasAgent = hasAgent
  }
}

extension LiveState {
  /// Differences with the effects they have on this guest, and how each is done or why not at once.
  public func resolved(_ differences: [Schema.Difference]) -> [Schema.Difference] {
    // What goes makes room first.
    var ports = freePorts + differences.count { $0.live == .devices && isUnplugged($0) }
    return differences.map { difference in
      guard let condition = difference.live else { return difference }
      var difference = difference
      let (isLive, note) =
        switch condition {
        case .processors: processors(difference)
        case .memory: memory(difference)
        case .devices: device(difference, &ports)
        // Said by the difference itself.
        case .segment: (false, nil)
        }
      if isLive { difference.effect = .live }
      difference.note = note ?? difference.note
      return difference
    }
  }

  private func processors(_ difference: Schema.Difference) -> (Bool, String?) {
    guard let wanted = difference.after?.integer, wanted >= processors else {
      return (false, "none is taken from a running guest")
    }
    guard wanted <= maximumProcessors else {
      return (false, "the running guest has places for \(maximumProcessors)")
    }
    return (true, hasAgent ? nil : "without a guest agent the guest must bring them online itself")
  }

  private func memory(_ difference: Schema.Difference) -> (Bool, String?) {
    guard let wanted = difference.after?.integer else { return (false, nil) }
    guard wanted <= maximumMemory else {
      return (false, "the running guest has room for \(Quantity.text(bytes: maximumMemory))")
    }
    if wanted <= baseMemory { return (true, "by balloon") }
    guard (wanted - baseMemory) % memoryStep == 0 else {
      let step = Quantity.text(bytes: memoryStep)
      return (false, "a running guest is given memory in steps of \(step)")
    }
    return (true, "by virtio-mem")
  }

  private func device(
    _ difference: Schema.Difference, _ ports: inout Int
  ) -> (Bool, String?) {
    switch (difference.before, difference.after) {
    case (nil, _?):
      guard ports > 0 else { return (false, "the running guest has no free port") }
      ports -= 1
      return (true, "plugged in")
    case (_?, nil):
      return isUnplugged(difference) ? (true, "unplugged") : (false, "the guest runs from it")
    default: return (false, nil)
    }
  }

  private func isUnplugged(_ difference: Schema.Difference) -> Bool {
    guard difference.after == nil, let name = difference.before?["name"]?.string else {
      return false
    }
    return !difference.path.hasPrefix("disks[") || name != bootDisk
  }
}
