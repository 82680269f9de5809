import Glibc
import JSON
import Monitor
import Networking
import QEMU
import Supervision
import Synchronization
import SystemIO
import Testing

/// Real QEMU, real monitors, real networks.
@Suite(
  "A guest on a network", .serialized,
  .enabled(if: TestNetwork.isPossible, "/dev/net/tun can't be opened"))
struct NetworkTests {
  @Test("What the guest sends arrives in its network, and a probe asks from within it")
  func traffic() throws {
    let network = try TestNetwork()
    // With nothing to boot from, the firmware asks for an address.
    let machine = try network.machine(nil, cards: [2])
    machine.configuration.readiness = Probe(
      .tcp(address: network.gateway, port: 53, through: .network(network.directory.path)),
      period: 20)
    try machine.launch()
    let client = try machine.client()
    try machine.eventually("ready") { try client.status().isReady }
    let tap = try #require(try client.status().started?.taps.first)
    #expect(tap.port == "vm/2")
    #expect(try tap.namespace == network.client().status().namespace)
    try machine.eventually("packets") { try network.port(2)?.sentPackets ?? 0 > 0 }
    machine.configuration.readiness = Probe(
      .tcp(address: network.gateway, port: 9, through: .network(network.directory.path)),
      period: 20)
    try client.setPolicy(machine.configuration)
    try machine.eventually("a refusal") {
      try client.status().readyProblem.contains("refused")
    }
    _ = try client.kill()
    try machine.monitorEnds()
    try machine.eventually("an empty port") { try network.port(2)?.isPlugged == false }
  }

  @Test("A network's supervisor that is killed is launched again, its guests notice nothing")
  func supervisorKilled() throws {
    let network = try TestNetwork()
    let machine = try network.machine(cards: [2])
    try machine.launch()
    let first = try #require(try network.supervisor())
    try network.kill()
    try machine.eventually("another supervisor") {
      try network.supervisor().map { $0.identity != first.identity } ?? false
    }
    try machine.eventually("the tap") { try network.port(2)?.isPlugged == true }
    // Also for a guest that was taken up, by a monitor that finds no supervisor.
    try machine.monitor().signal(SIGKILL)
    try machine.monitorEnds()
    let second = try #require(try network.supervisor())
    try second.signal(SIGKILL)
    try machine.eventually("no supervisor") { try network.supervisor() == nil }
    try machine.launch(.adopt)
    try machine.eventually("a third supervisor") { try network.supervisor() != nil }
    #expect(try machine.count("replugged") == 0)
    _ = try machine.client().kill()
    try machine.monitorEnds()
  }

  @Test("A guest that is started again gets its tap again")
  func restart() throws {
    let network = try TestNetwork()
    let machine = try network.machine(cards: [2, 3], strategy: .rerunOnFailure)
    try machine.launch()
    #expect(try network.port(3)?.isPlugged == true)
    try machine.guest().signal(SIGKILL)
    try machine.eventually("a restart") { try machine.count("running") == 2 }
    #expect(try network.port(2)?.isPlugged == true)
    #expect(try network.port(3)?.isPlugged == true)
    #expect(try machine.client().status().started?.taps.map(\.port) == ["vm/2", "vm/3"])
    _ = try machine.client().kill()
    try machine.monitorEnds()
  }

  /// Plugs card 3 into the free port of a running machine.
  private func plug(_ card: MachineSpec.Interface, into machine: Machine) throws {
    let client = try machine.client()
    for command in HardwareChange.plugInterface(card).commands(
      try client.hardware(), port: "port-spare0")
    {
      try client.execute(command)
    }
  }

  @Test("A card is plugged into a running guest with a tap, its cable out and in, and unplugged")
  func hotPlug() throws {
    let network = try TestNetwork()
    let machine = try network.machine(cards: [])
    try machine.launch()
    #expect(try network.port(3)?.isPlugged == false)
    let client = try machine.client()
    try plug(network.card(3), into: machine)
    #expect(try network.port(3)?.isPlugged == true)
    for isConnected in [false, true] {
      for command in HardwareChange.setLink(network.card(3, isConnected: isConnected)).commands(
        try client.hardware(), port: "")
      {
        try client.execute(command)
      }
    }
    // A port that the network does not have leaves no trace.
    var card = network.card(2)
    card.backend = .tap(network: network.directory.path, port: "vm/other", mtu: 1500)
    let error = #expect(throws: RPCError.self) { try plug(card, into: machine) }
    #expect(error?.description.contains("vm/other") == true)
    #expect(try client.status().started?.taps.map(\.port) == ["vm/3"])
    for command in HardwareChange.unplugInterface("net-3").commands(
      try client.hardware(), port: "")
    {
      try client.execute(command)
    }
    // Without a system in it the guest lets go of a card when it is reset.
    try client.reboot(force: true)
    try machine.eventually("the card's leave") {
      try !client.hardware().has(device: "net-3-device")
    }
    try client.execute(QMPCommand("netdev_del", ["id": "net-3"]))
    #expect(try client.status().started?.taps == [])
    try machine.eventually("an empty port") { try network.port(3)?.isPlugged == false }
    _ = try client.kill()
    try machine.monitorEnds()
  }

  @Test("A network whose namespace was lost gets its guests' cards back, as they were")
  func namespaceLost() throws {
    let network = try TestNetwork()
    let machine = try network.machine(cards: [2])
    try machine.launch()
    var client = try machine.client()
    try plug(network.card(3), into: machine)
    try client.execute(QMPCommand("set_link", ["name": "net-3-device", "up": false]))
    let before = try #require(try client.status().started)
    try network.kill(withNamespace: true)
    try machine.eventually("cards on their way out") {
      try client.status().started?.taps.allSatisfy { $0.namespace == 0 } == true
    }
    // A monitor that takes the guest up goes on with it.
    try machine.monitor().signal(SIGKILL)
    try machine.monitorEnds()
    try machine.launch(.adopt)
    client = try machine.client()
    // Without a system in it the guest lets go of a card when it is reset.
    try client.reboot(force: true)
    try machine.eventually("both cards") { try machine.count("replugged") == 2 }
    let after = try #require(try client.status().started)
    let namespace = try network.client().status().namespace
    #expect(namespace != before.taps.first?.namespace)
    #expect(after.taps.map(\.namespace) == [namespace, namespace])
    #expect(try network.port(2)?.isPlugged == true)
    #expect(try network.port(3)?.isPlugged == true)
    for place in ["port-net-2", "port-spare0"] {
      let occupants = try client.execute(Hardware.occupants(of: place)).array ?? []
      #expect(occupants.contains { $0["name"]?.string?.hasPrefix("child[") == true }, "\(place)")
    }
    #expect(after.process == before.process)
    _ = try client.kill()
    try machine.monitorEnds()
  }

  @Test("A start whose network can't be had fails with the network's name and leaves nothing")
  func failedStart() throws {
    let network = try TestNetwork()
    let machine = try network.machine(cards: [2], strategy: .always)
    machine.configuration.networkExecutable = "/nonexistent/ingot-network"
    let error = #expect(throws: MonitorError.self) { try machine.launch() }
    #expect(error?.description.contains(network.directory.path) == true)
    #expect(
      error?.description.contains("/nonexistent/ingot-network") == true, "\(error as Any)")
    try machine.monitorEnds()
    #expect(try machine.ended().cause == .error)
    #expect(!fileExists(machine.directory.started))
    machine.configuration.networkExecutable = nil
    let untold = #expect(throws: MonitorError.self) { try machine.launch() }
    #expect(untold?.description.contains("ingot-network") == true)
    try machine.monitorEnds()
  }

  @Test("A start that waits for its network answers meanwhile, and can be given up")
  func givenUp() throws {
    let network = try TestNetwork()
    let machine = try network.machine(cards: [2], strategy: .always)
    let program = machine.directory.path + "/slow-network"
    try replaceFile(program, with: Array("#!/bin/sh\nexec sleep 3\n".utf8), permissions: 0o700)
    machine.configuration.networkExecutable = program
    try machine.configuration.write(machine.directory)
    let executable = try monitorExecutable()
    let outcome = Mutex<String?>(nil)
    let directory = machine.directory
    let launch = try WorkerThread {
      do {
        try launchMonitor(directory, monitorExecutable: executable, host: Machine.host)
      } catch {
        outcome.withLock { $0 = "\(error)" }
      }
    }
    try machine.eventually("the start") { try machine.report().hasMonitor }
    let client = try machine.client()
    #expect(try client.status().state == .starting)
    let record = try #require(try client.stop())
    #expect(record.request == "stop")
    #expect(!record.isFailure)
    launch.join()
    #expect(outcome.withLock { $0 }?.contains("given up") == true)
    try machine.monitorEnds()
    #expect(!fileExists(machine.directory.started))
    #expect(try machine.count("starting") == 1)
  }
}
