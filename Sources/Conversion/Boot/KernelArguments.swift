internal import FileTree

/// The arguments that a machine gives its kernel besides those which its disks and consoles decide.
///
/// They are read where the machine's own tools read them: `/etc/kernel/cmdline` (kernel-install(8)),
/// else `GRUB_CMDLINE_LINUX` and `GRUB_CMDLINE_LINUX_DEFAULT` of `/etc/default/grub` and
/// `/etc/default/grub.d/*.cfg` (the GRUB manual, 6.1).
struct KernelArguments {
  private(set) var kept: [String] = []
  private(set) var warnings: [String] = []

  private let isTemplate: Bool

  /// - Parameter isTemplate: whether each clone gets an identity of its own.
  init(_ tree: FileTree, isTemplate: Bool) {
    self.isTemplate = isTemplate
    if let lines = tree.lines(of: Self.kernelInstall) {
      let words = lines.filter { !$0.hasPrefix("#") }.joined(separator: " ")
      keep(words, of: Self.kernelInstall)
    } else {
      keep(grubArguments(tree), of: Self.grub)
    }
  }

  /// A command line with those that are kept.
  func appended(to line: String) -> String { ([line] + kept).joined(separator: " ") }

  private static let kernelInstall = "etc/kernel/cmdline"
  private static let grub = "etc/default/grub"
  private static let grubVariables = ["GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT"]

  /// x86's kernel reads 2047 bytes (COMMAND_LINE_SIZE); the rest of the line needs some too.
  private static let limit = 1536

  /// What the image decides: where its root and swap lie and what its console is.
  private static let decided: Set<String> = [
    "root", "rootfstype", "rootflags", "ro", "rw", "resume", "resume_offset", "noresume", "console",
    "BOOT_IMAGE", "initrd", "cryptdevice",
    // A console that keeps silent does not tell how far the boot is.
    "quiet", "splash", "rhgb",
  ]
  private static let identity: Set<String> = ["systemd.machine_id", "systemd.hostname"]
  private static let decidedPrefixes = ["rd.lvm.", "rd.md.", "rd.luks.", "rd.dm."]

  private mutating func keep(_ text: String, of path: String) {
    var length = 0
    for word in Self.words(text) {
      let name = String(word.prefix { $0 != "=" })
      if isDecided(name) { continue }
      guard word.utf8.allSatisfy({ $0 > 0x1f && $0 < 0x7f }) else {
        warnings.append(
          "/\(path): a kernel argument that begins with '\(name.prefix(20).filter(\.isASCII))' is "
            + "not plain text and was left out")
        continue
      }
      length += word.utf8.count + 1
      guard length <= Self.limit else {
        warnings.append(
          "/\(path): its kernel arguments from '\(name.prefix(20))' on were left out, as they are "
            + "longer than the \(Self.limit) bytes there is room for")
        return
      }
      kept.append(word)
    }
  }

  private func isDecided(_ name: String) -> Bool {
    Self.decided.contains(name) || Self.decidedPrefixes.contains(where: name.hasPrefix)
      || isTemplate && Self.identity.contains(name)
  }

  /// Words as the kernel takes them apart: at white space, but not between double quotes.
  private static func words(_ text: String) -> [String] {
    var words: [String] = []
    var word = ""
    var isQuoted = false
    for character in text {
      if character == "\"" { isQuoted.toggle() }
      if character.isWhitespace, !isQuoted {
        if !word.isEmpty { words.append(word) }
        word = ""
      } else {
        word.append(character)
      }
    }
    return word.isEmpty ? words : words + [word]
  }
}

// These files are shell scripts. Plain assignments are understood, and the use of the same variables
// in them, by which a later file adds to an earlier one.
extension KernelArguments {
  private mutating func grubArguments(_ tree: FileTree) -> String {
    var values: [String: String] = [:]
    for path in [Self.grub] + Self.dropIns(tree) {
      for line in tree.lines(of: path) ?? [] {
        guard let (name, text) = Self.assignment(line) else { continue }
        if let value = Self.value(text, values) {
          values[name] = value
        } else {
          warnings.append(
            "/\(path): \(name) is more than plain text, and its kernel arguments were left out")
        }
      }
    }
    return Self.grubVariables.compactMap { values[$0] }.joined(separator: " ")
  }

  private static func dropIns(_ tree: FileTree) -> [String] {
    let directory = "etc/default/grub.d"
    return tree.names(in: directory).filter { $0.hasSuffix(".cfg") }.sorted()
      .map { "\(directory)/\($0)" }
  }

  private static func assignment(_ line: String) -> (name: String, text: String)? {
    let trimmed = line.drop { $0.isWhitespace }
    guard let equals = trimmed.firstIndex(of: "=") else { return nil }
    let name = String(trimmed[..<equals])
    return grubVariables.contains(name)
      ? (name, String(trimmed[trimmed.index(after: equals)...])) : nil
  }

  /// What the shell would make of the right-hand side; nil where that takes a shell.
  private static func value(_ text: String, _ values: [String: String]) -> String? {
    guard let quote = text.first, quote == "\"" || quote == "'" else {
      let word = text.prefix { !$0.isWhitespace }
      return word.allSatisfy { !"$`\\\"'".contains($0) } ? String(word) : nil
    }
    let rest = text.dropFirst()
    guard let end = rest.firstIndex(of: quote) else { return nil }
    var value = String(rest[..<end])
    if quote == "'" { return value }
    for name in grubVariables.reversed() {
      value = value.replacing("${\(name)}", with: values[name] ?? "")
        .replacing("$\(name)", with: values[name] ?? "")
    }
    return value.contains { "$`\\".contains($0) } ? nil : value
  }
}
