import EngineInterface
import Resources
import TestSupport
import Testing

@testable import Commands

@Suite("The way of ssh into a guest")
struct SSHTests {
  private func settings(_ way: SSHSettings.Way, user: String? = nil) -> SSHSettings {
    SSHSettings(machine: Fixture.running, user: user, knownHosts: "/h/known_hosts", way: way)
  }

  @Test("it leads to the forwarded port, with host keys kept apart")
  func port() throws {
    let way = try SSHSettings.Way.port(of: Fixture.running)
    #expect(
      settings(way, user: "root").words == [
        "-o", "HostName=127.0.0.1", "-o", "Port=40022", "-o",
        "UserKnownHostsFile=/h/known_hosts", "-o", "StrictHostKeyChecking=accept-new", "-o",
        "HostKeyAlias=web1.u-1", "-o", "User=root", "web1",
      ])
  }

  @Test("it leads through the network by a connection that is handed over")
  func command() {
    let way = SSHSettings.Way.command([
      "/opt/my tools/ingot", "connect", "--home", "/h/100%'s", "--pass-descriptor", "web1", "22",
    ])
    #expect(
      settings(way).configuration == [
        "Host web1", "  ProxyUseFdpass yes",
        "  ProxyCommand '/opt/my tools/ingot' connect --home '/h/100%%'\\''s' --pass-descriptor web1 22",
        "  UserKnownHostsFile /h/known_hosts", "  StrictHostKeyChecking accept-new",
        "  HostKeyAlias web1.u-1",
      ])
  }

  @Test("ssh reads its settings as they are meant")
  func read() throws {
    let scratch = try Scratch()
    let command = ["/bin/a b", "100%", "it's", "$HOME", "`id`", "*"]
    let settings = SSHSettings(
      machine: Fixture.running, user: "some body", knownHosts: "/h a/100%",
      way: .command(command))
    try scratch.write("config", settings.configuration.joined(separator: "\n"))
    let read = try Tool.check("ssh", ["-G", "-F", scratch.file("config"), "web1"])
    let line = #"proxycommand '/bin/a b' '100%%' 'it'\''s' '$HOME' '`id`' '*'"#
    #expect(read.contains(line + "\n"))
    #expect(read.contains("proxyusefdpass yes\n"))
    #expect(read.contains("hostkeyalias web1.u-1\n"))
    #expect(read.contains("user some body\n"))
    let same = try Tool.check("ssh", ["-G", "-F", "none"] + settings.words)
    #expect(same.contains(line + "\n"))
    // The shell makes the same words of it again.
    let shell = line.dropFirst("proxycommand ".count).replacing("%%", with: "%")
    let words = try Tool.check("sh", ["-c", "printf '%s\\n' \(shell)"])
    #expect(words == command.map { $0 + "\n" }.joined())
  }

  @Test("a machine without a forward of port 22 says how to get one")
  func noForward() {
    #expect {
      _ = try SSHSettings.Way.port(of: Fixture.crashed)
    } throws: { error in
      ErrorReport(error).help?.contains("ports: [{guest: 22}]") == true
    }
  }

  @Test("a network that ingot keeps goes before ports, once it is there and the cable is in")
  func route() throws {
    let route = GuestRoute(
      network: "lab", directory: "/home/networks/n-1", addresses: ["10.77.0.11", "fd12:3456::b"])
    #expect(try GuestRoute.find(to: MapFixture.web1, in: MapFixture.state) == route)
    #expect(try GuestRoute.find(to: MapFixture.db1, in: MapFixture.state) == nil)
    #expect(try GuestRoute.find(to: MapFixture.box, in: MapFixture.state) == nil)
    #expect(throws: Failure.self) { try MapFixture.db1.requireRunning() }
    #expect(throws: Failure.self) { try MapFixture.bare.requireRunning() }
    try MapFixture.web1.requireRunning()
  }
}
