import EngineInterface
import JSON
import Resources
import TestSupport
import Testing

@testable import Commands

@Suite("Words of the command line")
struct ArgumentTests {
  @Test(
    "addresses as people type them",
    arguments: [
      (["vm/web1"], ["VirtualMachine/web1"]), (["vm", "web1"], ["VirtualMachine/web1"]),
      (["vms", "a", "b"], ["VirtualMachine/a", "VirtualMachine/b"]),
      (["net/lab", "VirtualMachine/web1"], ["Network/lab", "VirtualMachine/web1"]),
    ])
  func addresses(words: [String], expected: [String]) throws {
    #expect(try Addresses.resources(words).map(\.description) == expected)
  }

  @Test(
    "what is no address is refused",
    arguments: [["web1"], ["vmm/web1"], ["vm/"], ["/web1"], ["vm/a/b"], []])
  func noAddresses(words: [String]) {
    #expect(throws: (any Error).self) { try Addresses.resources(words) }
  }

  @Test("verbs on machines take bare names, and refuse other kinds")
  func machines() throws {
    #expect(try Addresses.machines(["web1", "vm/web2"]) == ["web1", "web2"])
    #expect(throws: (any Error).self) { try Addresses.machines(["net/lab"]) }
  }

  @Test(
    "durations", arguments: [("90", 90), ("90s", 90), ("3m", 180), ("1h30m", 5400), ("0s", 0)])
  func durations(text: String, seconds: Int) {
    #expect(DurationArgument(argument: text)?.seconds == seconds)
  }

  @Test("what is no duration is refused", arguments: ["", "x", "-5", "3 m"])
  func noDurations(text: String) { #expect(DurationArgument(argument: text) == nil) }

  @Test(
    "command lines that parse",
    arguments: [
      "plan -f a.yaml -f b --detailed-exitcode --restart -o json", "apply -f - --yes",
      "apply -f site --auto-approve --parallelism 3 --no-wait --timeout 5m --progress json",
      "destroy --all --yes", "destroy vm/web1", "destroy -f a.yaml", "delete vm web1 web2",
      "get", "get vm -o wide", "get vm/web1 -o yaml", "describe vm/web1", "explain vm.memory",
      "wait vm/web1 --for halted --timeout 5m", "events --watch", "console web1 --log",
      "ssh root@web1 -- -v uptime", "stop web1 --grace 30s", "reboot --force web1",
      "convert / -o a.qcow2 --exclude /srv --exclude *.log --size 8Gi --mode template",
      "convert / -o a.raw --format raw --one-file-system --include !x --limit-rate 50Mi --threads 2",
      "convert - -o a --partition /boot=512Mi --partition swap=1Gi --partition /home --max-entries 9",
      "convert x -o a --compression zlib --max-bytes 1Gi --max-ratio 9 --all-file-systems",
      "doctor -o json", "version --verbose", "completions fish", "diff -f a.yaml",
      "validate -f a.yaml --color never --home /tmp/x",
    ])
  func parses(line: String) {
    #expect(CommandLineTool.check(line.split(separator: " ").map(String.init)) == .done)
  }

  @Test(
    "command lines that do not parse exit with 64",
    arguments: [
      "frobnicate", "plan --frob", "apply -f a.yaml --parallelism 0", "destroy",
      "destroy --all vm/web1", "get vm -o pdf", "map -o pdf", "port-forward web1",
      "port-forward web1 0", "port-forward web1 80 --address here", "wait web1 --timeout soon",
      "convert /",
      "convert / -o a --format floppy", "convert / -o a --partition /boot=much",
      "convert / -o a --one-file-system --all-file-systems",
    ])
  func usage(line: String) {
    #expect(CommandLineTool.check(line.split(separator: " ").map(String.init)) == .usage)
  }

  @Test("forwards are shown as the engine allocated them")
  func ports() {
    #expect(MachinePorts.texts(Fixture.running) == ["40022->22", "0.0.0.0:8080->80"])
  }
}
