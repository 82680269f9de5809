import EngineInterface
import JSON
import Testing

@testable import Commands

@Suite("The progress of work")
struct ProgressBoardTests {
  private let second: UInt64 = 1_000_000_000

  @Test("in a pipe: a line at the start, one every ten seconds, one at the end")
  func pipe() {
    var board = ProgressBoard(style: .plain)
    var lines = board.take(.started, "Image/debian-12", "create", now: 0, isLive: false)
    #expect(board.due(now: 9 * second).isEmpty)
    lines += board.due(now: 10 * second)
    let progress = ActProgress(phase: "packing", completed: 100 << 20, total: 400 << 20)
    lines += board.take(
      .progress(progress), "Image/debian-12", "create", now: 11 * second, isLive: false)
    #expect(board.due(now: 19 * second).isEmpty)
    lines += board.due(now: 21 * second)
    lines += board.take(
      .finished(notes: ["it is small"]), "Image/debian-12", "create", now: 83 * second,
      isLive: false)
    #expect(
      lines == [
        "Image/debian-12: creating...",
        "Image/debian-12: still creating [10s]",
        "Image/debian-12: still creating, packing 25%, 100 MiB of 400 MiB, 10 MiB/s, 30s left [21s]",
        "✓ Image/debian-12: created [1m23s]", "    it is small",
      ])
  }

  @Test("on a terminal: one line a piece of work, never wider than the terminal")
  func terminal() {
    var board = ProgressBoard(style: .plain)
    #expect(board.take(.started, "Volume/a", "create", now: 0, isLive: true).isEmpty)
    _ = board.take(.started, "VirtualMachine/web1", "delete", now: second, isLive: true)
    _ = board.take(
      .progress(ActProgress(phase: "copying", completed: 1 << 20, total: 4 << 20)), "Volume/a",
      "create", now: second, isLive: true)
    #expect(
      board.drawing(now: 2 * second, width: 100) == [
        "  Volume/a             creating  2.0s  [#####...............]  copying 25%, 1 MiB of 4 MiB, 1 MiB/…",
        "  VirtualMachine/web1  destroying  1.0s",
      ])
    #expect(board.leftovers == ["Volume/a: creating", "VirtualMachine/web1: destroying"])
  }

  @Test("failures, their help, and what falls with them")
  func failures() {
    var board = ProgressBoard(style: .plain)
    _ = board.take(.started, "Image/a", "create", now: 0, isLive: false)
    #expect(
      board.take(
        .failed(message: "error: no space\nhelp: free some"), "Image/a", "create", now: second,
        isLive: false) == [
          "✗ Image/a: failed to create [1.0s]", "    error: no space", "    help: free some",
        ])
    #expect(
      board.take(
        .skipped(because: "Image/a failed"), "VirtualMachine/b", "create", now: second,
        isLive: false) == ["- VirtualMachine/b: not created, Image/a failed"])
    #expect(board.leftovers.isEmpty)
  }

  @Test("JSON lines name type, address and act")
  func json() {
    #expect(
      WorkEvent.progress(ActProgress(phase: "packing", completed: 1, total: nil))
        .json("Image/a", "create").text()
        == #"{"type":"progress","address":"Image/a","act":"create","phase":"packing","#
        + #""completed":1,"total":null}"#)
  }

  @Test(
    "verbs in all their forms",
    arguments: [
      ("create", "creating", "created"), ("delete", "destroying", "destroyed"),
      ("stop", "stopping", "stopped"), ("start", "starting", "started"),
      ("resume", "resuming", "resumed"), ("convert", "converting", "converted"),
    ])
  func verbs(verb: String, ongoing: String, done: String) {
    #expect(ActWords(verb).ongoing == ongoing)
    #expect(ActWords(verb).done == done)
  }
}
