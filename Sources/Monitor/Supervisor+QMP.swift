internal import JSON
internal import QEMU
internal import Supervision
internal import SystemIO

// QMP commands that the engine has passed on, and what the monitor keeps of them.

extension Supervisor {
  /// QMP commands the engine may have passed on; each is one that takes effect at once and that
  /// this monitor's own view of the guest does not depend on.
  private static let passedOn: Set<String> = [
    "balloon", "qom-set", "block_resize", "block_set_io_throttle", "blockdev-add", "blockdev-del",
    "device_add", "device_del", "netdev_add", "netdev_del", "set_link", "qom-list",
    "query-blockstats",
    "query-cpus-fast", "query-status",
  ]

  func passOn(
    _ params: JSONReader, _ tell: @escaping (Result<JSONValue, RPCError>) -> Void
  ) throws {
    let command = try QMPCommand(params)
    guard Self.passedOn.contains(command.name) else {
      throw RPCError("the monitor does not pass on '\(command.name)'")
    }
    guard let qmp else { throw notRunning }
    if command.name == "netdev_add", command.arguments["type"]?.string == "tap" {
      return try plugTap(command, tell)
    }
    let isQuestion = command.name.hasPrefix("query-")
    qmp.execute(
      command.name, command.arguments, deadline: isQuestion ? QMPChannel.quick : QMPChannel.block
    ) { [weak self] result in
      // What goes may have gone before.
      let isRemoval = command.name == "device_del" || command.name == "netdev_del"
      if isRemoval || result.isSuccess { self?.hasDone(command) }
      tell(result.forRPC)
    }
  }

  /// Opens a tap and adds what stands behind a card that is about to be plugged in.
  private func plugTap(
    _ command: QMPCommand, _ tell: @escaping (Result<JSONValue, RPCError>) -> Void
  ) throws(RPCError) {
    guard let tap = command.tap, let id = command.arguments["id"]?.string else {
      throw RPCError("'netdev_add' of a tap needs the network, the port and the id")
    }
    openTap(tap) { [weak self] result in
      guard let self else { return }
      switch result {
      case .failure(let error):
        dropIdleLinks()
        tell(.failure(error))
      case .success(let place):
        plug(command, place.descriptor) { [weak self] result in
          if case .success = result {
            self?.changeTaps { taps in
              taps.removeAll { $0.id == id }
              taps.append(GuestTap(id, tap, namespace: place.namespace))
            }
          }
          self?.dropIdleLinks()
          tell(result)
        }
      }
    }
  }

  /// Passes a tap to QEMU and carries out the command whose `fd` names it.
  func plug(
    _ command: QMPCommand, _ descriptor: Descriptor,
    _ completion: @escaping (Result<JSONValue, RPCError>) -> Void
  ) {
    guard let qmp, let name = command.arguments["fd"] else {
      return completion(.failure(notRunning))
    }
    qmp.execute("getfd", ["fdname": name], passing: descriptor) { [weak qmp] result in
      guard case .success = result else { return completion(result.forRPC) }
      qmp?.execute(command.name, command.arguments) { [weak qmp] result in
        // What was not used stays open.
        if case .failure = result { qmp?.execute("closefd", ["fdname": name]) }
        completion(result.forRPC)
      }
    }
  }

  /// Keeps what a command has changed of cards on networks.
  private func hasDone(_ command: QMPCommand) {
    let arguments = command.arguments
    let id = arguments["id"]?.string ?? ""
    switch command.name {
    case "device_add":
      changeTap(arguments["netdev"]?.string ?? "") { card in
        card.device = arguments
        card.isLeaving = false
      }
    case "device_del":
      changeTaps { taps in
        if let index = taps.firstIndex(where: { $0.deviceID == id }) {
          taps[index].isLeaving = true
        }
      }
      // It is not to come again.
      replugs.removeAll { replug in
        started?.taps.contains { $0.id == replug.id && $0.isLeaving } ?? true
      }
    case "netdev_del":
      changeTaps { taps in taps.removeAll { $0.id == id } }
      dropIdleLinks()
    case "set_link":
      let name = arguments["name"]?.string
      changeTaps { taps in
        for index in taps.indices where taps[index].deviceID == name {
          taps[index].isConnected = arguments["up"]?.bool ?? true
        }
      }
    default: break
    }
  }
}

extension Result {
  fileprivate var isSuccess: Bool {
    if case .success = self { true } else { false }
  }
}

extension QMPCommand {
  /// The command as a request to the monitor has it.
  var params: JSONObject {
    var params: JSONObject = ["command": .string(name), "arguments": .object(arguments)]
    if let tap {
      params["tap"] = ["network": .string(tap.network), "port": .string(tap.port)]
    }
    return params
  }

  fileprivate init(_ params: JSONReader) throws(JSONShapeError) {
    let tap: Tap?
    if let reader = params.optional("tap") {
      tap = Tap(
        network: try reader.member("network").string(), port: try reader.member("port").string())
    } else {
      tap = nil
    }
    self.init(
      try params.member("command").string(), params.value["arguments"]?.object ?? [:], tap: tap)
  }
}
