internal import JSON
internal import QEMU
internal import Supervision
internal import SystemIO

extension Supervisor {
  /// Takes up a guest that another monitor left or lost; the guest notices nothing.
  ///
  /// It is not this process's child: its exit status stays unknown, its events are seen again.
  func adopt(_ record: StartedRecord, _ handle: ProcessHandle) throws {
    started = record
    process = handle
    state = .running
    runningSince = host.uptime()
    let wasReady = try JournalEntry.read(directory).reduce(false) { ready, entry in
      switch entry.kind {
      case "ready": true
      case "unready", "starting", "exited": false
      default: ready && entry.data["event"] != "RESET"
      }
    }
    note("adopted", ["pid": .integer(Int64(record.process.pid))])
    watchProcess(handle)
    console.resumeBoot(record.consoleStart)
    do {
      let qmp = try QMPChannel(loop, path: directory.qmpSocket)
      wire(qmp)
      qmp.onGreeting = { [unowned self] _ in adoptGreeted() }
      try console.connect(directory.consoleSocket)
      agent = try AgentChannel(loop, path: directory.agentSocket, host: host)
      // Should QEMU be silent, the guest is still there and the caller must not wait for ever.
      qmp.execute("qmp_capabilities")
    } catch {
      // It is alive all the same; stop and kill work by its process.
      log.write("QEMU can't be talked to: \(error)")
      isSilent = true
      note("unresponsive")
    }
    tellFirstStart(.success(record))
    linkToNetworks()
    beginWatching(wasReady: wasReady)
    // Nobody did while there was no monitor; the probe has seen what is cut off now.
    console.boundLog()
  }

  private func adoptGreeted() {
    qmp?.execute("query-status") { [unowned self] result in
      guard case .success(let status) = result else { return }
      if status["status"]?.string == "prelaunch" {
        // The monitor died between the record and `cont`.
        qmp?.execute("cont")
      } else {
        adopt(status: status)
      }
    }
    qmp?.execute("query-chardev") { [unowned self] result in
      guard case .success(let devices) = result else { return }
      let channel = devices.array?.first { $0["label"]?.string == "agent" }
      agent?.isGuestListening = channel?["frontend-open"]?.bool
      if agent?.isGuestListening == true { cameUp() }
    }
  }
}
