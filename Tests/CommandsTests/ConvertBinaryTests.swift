import TestSupport
import Testing

/// Runs `ingot convert` as users and pipelines do.
@Suite("The executable converts")
struct ConvertBinaryTests {
  private func makeTree(_ scratch: Scratch) throws {
    let script = """
      set -e; mkdir -p tree/etc; echo box > tree/etc/hostname
      head -c 12000000 /dev/urandom > tree/data
      """
    try Tool.check("sh", ["-c", script], in: scratch.path)
  }

  @Test(
    "a signal at any moment leaves the whole image or nothing",
    arguments: [("TERM", "0"), ("INT", "0.2"), ("TERM", "0.6"), ("INT", "1.2"), ("TERM", "2")])
  func signals(signal: String, delay: String) throws {
    let scratch = try Scratch()
    try makeTree(scratch)
    // Held to a rate, so that the later signals find it at work too.
    let script = """
      "$1" convert tree -o out.raw --format raw --limit-rate 10Mi --progress none >said 2>&1 &
      pid=$!; sleep \(delay); kill -\(signal) $pid; wait $pid; echo $? > status
      """
    let binary = try BuiltProducts.path(of: "ingot")
    // In an interactive shell, or background work would ignore SIGINT.
    try Tool.check("bash", ["-c", "set -m; " + script, "bash", binary], in: scratch.path)
    let names = try Tool.check("ls", ["-A", scratch.path]).split(separator: "\n").map(String.init)
    let status = try Tool.check("cat", [scratch.file("status")])
    if names.contains("out.raw") {
      #expect(status == "0\n")
      try Tool.check("sfdisk", ["--verify", scratch.file("out.raw")])
    } else {
      #expect(status != "0\n")
    }
    #expect(names.filter { !["out.raw", "tree", "status", "said"].contains($0) } == [])
  }

  @Test("standard input, exit code 6 and the report agree, and progress is lines of JSON")
  func pipeline() throws {
    let scratch = try Scratch()
    try makeTree(scratch)
    let script = """
      tar --format=posix --pax-option='SCHILY.xattr.nonsense:=x' -C tree -c . \
      | "$1" convert - -o out.qcow2 --report report.json --partition swap=16Mi \
        --progress json --threads 2 2>progress
      echo $?
      """
    let binary = try BuiltProducts.path(of: "ingot")
    let output = try Tool.check("bash", ["-c", script, "bash", binary], in: scratch.path)
    #expect(output.hasSuffix("\n6\n"), "\(output)")
    #expect(output.contains("altered: etc/hostname") && output.contains("swap: UUID="))
    let progress = try Tool.check("cat", [scratch.file("progress")]).split(separator: "\n")
    #expect(progress.allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") }, "\(progress)")
    #expect(progress.contains { $0.contains("\"started\"") })
    #expect(progress.contains { $0.contains("\"packing\"") })
    let report = try Tool.check("cat", [scratch.file("report.json")])
    let digest = try Tool.check("sha256sum", [scratch.file("out.qcow2")]).prefix(64)
    #expect(report.contains(String(digest)) && report.contains("\"exitCode\": 6"))
    try Tool.check("qemu-img", ["check", "-q", scratch.file("out.qcow2")])
  }

  @Test("a limit that refuses names the option that raises it")
  func limit() throws {
    let scratch = try Scratch()
    try makeTree(scratch)
    let script = "tar -C tree -c . | \"$1\" convert - -o out.raw --format raw --max-bytes 1Mi"
    let binary = try BuiltProducts.path(of: "ingot")
    let run = try Tool.run("bash", ["-c", script, "bash", binary], in: scratch.path)
    #expect(run.status == 1 && run.output.contains("--max-bytes"), "\(run.output)")
    #expect(try Tool.check("ls", [scratch.path]) == "tree\n")
  }
}
