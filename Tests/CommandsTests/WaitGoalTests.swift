import ArgumentParser
import EngineInterface
import Execution
import JSON
import Resources
import Testing

@testable import Commands

@Suite("What wait --for names")
struct WaitGoalTests {
  @Test("is read")
  func reads() throws {
    #expect(try WaitGoalArgument.read("ready") == .ready)
    #expect(try WaitGoalArgument.read("halted") == .halted)
    #expect(try WaitGoalArgument.read("delete") == .delete)
    #expect(try WaitGoalArgument.read("condition=Ready") == .condition(.ready, true))
    #expect(try WaitGoalArgument.read("condition=paused=false") == .condition(.paused, false))
    #expect(
      try WaitGoalArgument.read("jsonpath={.status.machine.state}=Running")
        == .path(JSONPath("{.status.machine.state}"), equals: "Running"))
    #expect(
      try WaitGoalArgument.read("jsonpath={.status.phase}")
        == .path(JSONPath("{.status.phase}"), equals: nil))
    let filter = #"{.status.conditions[?(@.type=="Ready")].status}"#
    #expect(
      try WaitGoalArgument.read("jsonpath=\(filter)=True")
        == .path(JSONPath(filter), equals: "True"))
  }

  @Test(
    "or refused with what can be written",
    arguments: [
      ("redy", "condition=NAME"), ("ready=1", "condition=NAME"), ("", "condition=NAME"),
      ("condition=Redy", "did you mean Ready?"), ("condition=Ready=maybe", "True or False"),
      ("jsonpath=.status.phase=x", "needs braces"), ("jsonpath={.a}x", "stands behind the path"),
      ("jsonpath={.a}=", "is missing"), ("jsonpath={a}=x", "column 2"),
    ])
  func refuses(text: String, words: String) {
    let error = #expect(throws: ValidationError.self) { try WaitGoalArgument.read(text) }
    #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
  }

  @Test("conditions are of some kinds only")
  func kinds() throws {
    try WaitGoalArgument.condition(.ready, true).check(.image)
    #expect(throws: ValidationError.self) {
      try WaitGoalArgument.condition(.paused, true).check(.image)
    }
    #expect(throws: ValidationError.self) { try WaitGoalArgument.halted.check(.volume) }
  }

  @Test(
    "a path sees what get -o json shows",
    arguments: [
      ("{.status.machine.state}=Running", true), ("{.status.machine.state}=Paused", false),
      ("{.status.machine.boot.stage}=Login", true), ("{.status.machine.restarts}=1", true),
      (#"{.status.conditions[?(@.type=="RestartRequired")].status}=True"#, true),
      ("{.spec.disks[*].name}=root", false), ("{.spec.disks[0].name}", true),
      ("{.spec.nothing}", false), ("{.metadata.labels.app}=web", true),
    ])
  func paths(text: String, isMet: Bool) async throws {
    let goal = try WaitGoalArgument.read("jsonpath=\(text)").goal
    #expect(goal.words == text)
    #expect(goal.matches(Fixture.running) == isMet)
  }
}
