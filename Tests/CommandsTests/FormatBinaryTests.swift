import Foundation
import TestSupport
import Testing

/// `ingot fmt` by the executable.
@Suite("The executable formats")
struct FormatBinaryTests {
  private let scratch: Scratch
  private let ugly = "kind:   Network\napiVersion: ingot/v1 # v1\n"
  private let fine = "apiVersion: ingot/v1  # v1\nkind: Network\n"

  init() throws { scratch = try Scratch() }

  private func ingot(_ line: String, input: String = "") throws -> IngotBinary.Run {
    try IngotBinary(scratch: scratch).run(
      line.split(separator: " ").map(String.init), input: input)
  }

  private func text(_ name: String) throws -> String {
    try String(contentsOfFile: scratch.file(name), encoding: .utf8)
  }

  @Test("files are rewritten in place with their mode, and a link stays a link")
  func inPlace() throws {
    try scratch.write("a.yaml", ugly)
    try scratch.write("b.yaml", fine)
    let manager = FileManager.default
    try manager.setAttributes([.posixPermissions: 0o640], ofItemAtPath: scratch.file("a.yaml"))
    try manager.createSymbolicLink(
      atPath: scratch.file("link.yaml"), withDestinationPath: "a.yaml")
    let run = try ingot("fmt -f link.yaml -f b.yaml")
    #expect(run.status == 0 && run.output == "link.yaml\n", "\(run.errors)")
    #expect(try text("a.yaml") == fine)
    let mode = try manager.attributesOfItem(atPath: scratch.file("a.yaml"))[.posixPermissions]
    #expect(mode as? Int == 0o640)
    #expect(try manager.destinationOfSymbolicLink(atPath: scratch.file("link.yaml")) == "a.yaml")
    #expect(try ingot("fmt -f a.yaml -f b.yaml").output.isEmpty)
  }

  @Test("--check and --diff change nothing, and tell")
  func checking() throws {
    try scratch.write("a.yaml", ugly)
    let check = try ingot("fmt --check -f a.yaml")
    #expect(check.status == 1 && check.output == "a.yaml\n")
    let diff = try ingot("fmt --diff -f a.yaml")
    #expect(diff.status == 0 && diff.output.contains("\n-kind:   Network\n"))
    #expect(try ingot("fmt --diff --check -f a.yaml").status == 1)
    #expect(try text("a.yaml") == ugly)
    try scratch.write("a.yaml", fine)
    #expect(try ingot("fmt --check -f a.yaml").status == 0)
  }

  @Test("standard input is printed")
  func standardInput() throws {
    let run = try ingot("fmt -f -", input: ugly)
    #expect(run.status == 0 && run.output == fine)
  }

  @Test("what can't be read is told with its place and left alone, the rest is formatted")
  func broken() throws {
    try scratch.write("a.yaml", "a: [\n")
    try scratch.write("b.yaml", ugly)
    let run = try ingot("fmt -f .")
    #expect(run.status == 1 && run.errors.contains("./a.yaml:2:1: error[yaml-syntax]"))
    #expect(try text("a.yaml") == "a: [\n")
    #expect(try text("b.yaml") == fine)
    #expect(try ingot("fmt").status == 64)
  }
}
