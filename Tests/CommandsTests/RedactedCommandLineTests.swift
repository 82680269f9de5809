import ArgumentParser
import JSON
import Testing

@testable import Commands

@Suite("The command line that events keep")
struct RedactedCommandLineTests {
  @Test(
    "tells what was done, and no secret",
    arguments: [
      ("apply -f site/ --yes", "ingot apply -f site/ --yes"),
      ("apply -f - --var password=hunter2 --yes", "ingot apply -f - --var password=… --yes"),
      ("apply --var=password=hun=ter2 -f a.yaml", "ingot apply --var=password=… -f a.yaml"),
      ("apply --var hunter2", "ingot apply --var …"),
      ("apply --token hunter2 -f a.yaml", "ingot apply --token … -f a.yaml"),
      ("apply --token=hunter2", "ingot apply --token=…"),
      ("delete vm/web1 --yes", "ingot delete vm/web1 --yes"),
      ("exec web1 mysql -phunter2", "ingot exec web1 …"),
      ("exec --timeout 5 web1 -- mysql -phunter2", "ingot exec --timeout 5 web1 -- …"),
      ("exec web1 -- true", "ingot exec web1 -- …"),
      ("import https://me:hunter2@host/x.qcow2", "ingot import https://…@host/x.qcow2"),
      ("apply --file=https://me:hunter2@host/", "ingot apply --file=https://…@host/"),
      ("start a\u{1b}[2Jb", "ingot start a.[2Jb"), ("", "ingot"),
    ])
  func redacts(line: String, kept: String) {
    let words = line.split(separator: " ").map(String.init)
    #expect(RedactedCommandLine.text(words) == kept)
  }

  @Test("is cut where it is long")
  func long() {
    let words = ["delete"] + (0..<1000).map { "vm/m\($0)" }
    let text = RedactedCommandLine.text(words)
    #expect(text.count == 500)
    #expect(text.hasSuffix("…"))
  }

  @Test("no flag listed as harmless takes a value, and those of guests' verbs are all listed")
  func options() throws {
    let help = try JSONValue(parsing: Ingot._dumpHelp())
    var kinds: [(verb: String, name: String, isFlag: Bool)] = []
    func collect(_ command: JSONValue) {
      for argument in command["arguments"]?.array ?? [] where argument["kind"] != "positional" {
        for name in argument["names"]?.array ?? [] {
          guard let text = name["name"]?.string else { continue }
          kinds.append(
            (
              command["commandName"]?.string ?? "",
              name["kind"] == "long" ? "--\(text)" : "-\(text)",
              argument["kind"] == "flag"
            ))
        }
      }
      for sub in command["subcommands"]?.array ?? [] { collect(sub) }
    }
    collect(try #require(help["command"]))
    #expect(kinds.count > 50)
    for option in kinds where !option.isFlag {
      #expect(!RedactedCommandLine.flags.contains(option.name), "\(option.verb) \(option.name)")
    }
    for option in kinds where option.isFlag && ["exec", "ssh"].contains(option.verb) {
      #expect(RedactedCommandLine.flags.contains(option.name), "\(option.verb) \(option.name)")
    }
  }
}
