import Ext4
import FileTree
import Foundation
import Glibc
import Testing

/// What a tool said.
struct ToolResult {
  var status: Int32
  var output: [UInt8]
  var text: String { String(decoding: output, as: UTF8.self) }
}

struct ToolMissing: Error, CustomStringConvertible {
  let description: String
}

/// Runs one of e2fsprogs; its standard error goes with its output.
func run(_ tool: String, _ arguments: [String], input: String = "") throws -> ToolResult {
  let places = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"].map { "\($0)/\(tool)" }
  guard let found = places.first(where: { access($0, X_OK) == 0 }) else {
    throw ToolMissing(description: "the tool \(tool) is missing; install e2fsprogs")
  }
  let process = Process()
  process.executableURL = URL(fileURLWithPath: found)
  process.arguments = arguments
  process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"]
  let output = Pipe()
  let commands = Pipe()
  process.standardOutput = output
  process.standardError = output
  process.standardInput = commands
  try process.run()
  try commands.fileHandleForWriting.write(contentsOf: Data(input.utf8))
  try commands.fileHandleForWriting.close()
  let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
  process.waitUntilExit()
  return ToolResult(status: process.terminationStatus, output: Array(bytes))
}

/// A file system in a sparse file.
struct Image {
  let file: SparseFile
  let summary: Ext4Summary
  var path: String { file.path }

  /// Has e2fsck look at everything and find nothing.
  func expectClean(sourceLocation: SourceLocation = #_sourceLocation) throws {
    let result = try run("e2fsck", ["-fn", path])
    #expect(result.status == 0, "\(result.text)", sourceLocation: sourceLocation)
  }

  /// Has e2fsck rebuild all directories, and looks that it made none of these smaller.
  ///
  /// The file system is another one afterwards, and clean.
  func expectNothingToOptimize(
    _ directories: [String], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    func blocks() throws -> [Substring?] {
      try directories.map {
        try debugfs("stat \($0)").split(separator: "\n").first { $0.contains("Size:") }
      }
    }
    let before = try blocks()
    let result = try run("e2fsck", ["-fyD", path])
    #expect(result.status <= 1, "\(result.text)", sourceLocation: sourceLocation)
    #expect(try blocks() == before, sourceLocation: sourceLocation)
    try expectClean(sourceLocation: sourceLocation)
  }

  /// Runs debugfs's commands, one a line.
  func debugfs(_ commands: String) throws -> String {
    try run("debugfs", ["-f", "-", path], input: commands + "\n").text
  }

  /// A file's bytes as debugfs reads them.
  func bytes(_ path: String) throws -> [UInt8] {
    let copy = SparseFile()
    _ = try debugfs("dump \(path) \(copy.path)")
    return try copy.contents()
  }
}

func makeOptions() throws -> Ext4Options {
  guard let uuid = FileSystemUUID("6e6f7420-6120-4765-8d61-6b6520626967"),
    let seed = FileSystemUUID("01234567-89ab-4def-8123-456789abcdef")
  else { throw ToolMissing(description: "the UUID does not parse") }
  var options = Ext4Options(uuid: uuid, hashSeed: seed)
  options.creationTime = 1_700_000_000
  return options
}

/// Writes a tree; `fill` may add files whose content goes through the writer.
func makeImage(
  _ options: Ext4Options? = nil, in file: SparseFile = SparseFile(),
  _ fill: (inout FileTree, Ext4Writer) throws -> Void
) throws -> Image {
  let writer = try Ext4Writer(options ?? makeOptions(), sink: file)
  var tree = FileTree()
  try fill(&tree, writer)
  let summary = try writer.finish(tree)
  try file.resize(summary.size)
  return Image(file: file, summary: summary)
}

extension FileTree {
  /// Adds a file whose content goes through the writer.
  @discardableResult
  mutating func addFile(
    _ name: String, to directory: Node = root, _ bytes: [UInt8], _ writer: Ext4Writer,
    _ attributes: FileAttributes = FileAttributes(permissions: 0o644)
  ) throws -> Node {
    try writer.beginFile(Array(name.utf8))
    try writer.append(bytes)
    return try add(Array(name.utf8), to: directory, .regular(try writer.endFile()), attributes)
  }

  /// Adds an inode under a name that is text.
  @discardableResult
  mutating func add(
    _ name: String, to directory: Node = root, _ kind: FileKind,
    _ attributes: FileAttributes = FileAttributes(permissions: 0o755)
  ) throws -> Node {
    try add(Array(name.utf8), to: directory, kind, attributes)
  }
}

/// Bytes that differ from block to block.
func pattern(_ count: Int, seed: Int = 1) -> [UInt8] {
  var state = UInt64(truncatingIfNeeded: seed) &* 0x9e37_79b9_7f4a_7c15 | 1
  var bytes = [UInt8](repeating: 0, count: count)
  for index in bytes.indices {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    bytes[index] = UInt8(truncatingIfNeeded: state >> 56)
  }
  return bytes
}
