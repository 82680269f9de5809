internal import ArgumentParser
internal import Manifests

struct ExplainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Tell what a kind or a field is.",
    discussion: "Such as: ingot explain vm, ingot explain vm.memory.guest.")

  @OptionGroup var global: GlobalOptions
  @Argument(help: "A kind, or a field by its path.")
  var path: String?
  @Flag(help: "Show all fields below, with their types, limits, defaults and effects.")
  var recursive = false
  @Flag(help: "Print the reference of all kinds as Markdown, as the README has it.")
  var markdown = false

  func validate() throws {
    if markdown, path != nil { throw ValidationError("--markdown tells of all kinds; name none") }
    if recursive, path == nil {
      throw ValidationError("--recursive needs a kind or a field, such as vm")
    }
  }

  func run() async throws {
    if markdown { return TextStream.output.write(referenceMarkdown()) }
    guard let path else {
      var table = Table(columns: ["KIND", "SHORT", "MEANING"].map { Table.Column($0) })
      for kind in DocumentKind.all {
        table.rows.append(
          [kind.name, kind.shortName ?? "-", kind.doc].map { Table.Cell($0) })
      }
      for line in table.lines(width: nil, style: global.style(of: .output)) {
        TextStream.output.line(line)
      }
      return
    }
    let explanation = try Explanation(path: path)
    TextStream.output.write(recursive ? explanation.recursiveText : explanation.text)
  }
}
