/// A command line as it may be kept: whoever reads it later learns what was done, and no secret.
///
/// Only what is known to be harmless is kept as it is: verbs, flags, addresses, paths of manifests
/// and the values of the options listed here. Any other option's value becomes `…`; of `NAME=value`
/// the name stays. What a guest is to run, and all behind `--`, is left out.
enum RedactedCommandLine {
  /// Options without a value.
  static let flags: Set<String> = [
    "--yes", "--auto-approve", "--wait", "--no-wait", "--all", "--recursive", "-R", "--restart",
    "--watch", "-w", "--log", "--force", "--offline", "--detailed-exitcode", "--version", "--help",
    "-h", "--verify", "--one-file-system", "--all-file-systems", "--allow-replace", "--prune",
    "--stdin", "-i", "--verbose", "-v", "--take-over", "--move", "--staged", "--refresh-only",
    "--help-hidden", "--config", "--pass-descriptor",
  ]
  /// Options whose value is harmless.
  static let plain: Set<String> = [
    "-f", "--file", "--home", "-o", "--output", "--color", "--progress", "--parallelism",
    "--timeout", "--for", "--grace", "--limit", "--events", "--since", "--overlay", "--var-file",
    "--format", "--set", "--name", "--memory", "--cpus", "--network", "--to", "--from",
    "--selector", "-l",
    "--target", "--exclude", "--replace", "--pool", "--firmware", "--address",
  ]
  /// Options of which the name before `=` is harmless, and the value is not.
  static let named: Set<String> = ["--var"]
  /// Verbs whose words after the machine are what a guest is to run.
  private static let guestVerbs: Set<String> = ["exec", "ssh"]
  private static let mark = "…"
  private static let limit = 500

  /// The command line, `ingot` in front.
  static func text(_ arguments: [String]) -> String {
    var kept = ["ingot"]
    var words = arguments[...]
    var positions = 0
    let verb = arguments.first ?? ""
    while let word = words.popFirst() {
      if word == "--" {
        kept += words.isEmpty ? [word] : [word, mark]
        break
      }
      if word.hasPrefix("-"), word != "-" {
        kept.append(option(word, &words))
        continue
      }
      positions += 1
      if guestVerbs.contains(verb), positions > 2 {
        kept.append(mark)
        break
      }
      kept.append(withoutCredentials(word))
    }
    let text = sanitized(kept.joined(separator: " "))
    return text.count > limit ? String(text.prefix(limit - 1)) + mark : text
  }

  private static func option(_ word: String, _ words: inout ArraySlice<String>) -> String {
    if let sign = word.firstIndex(of: "=") {
      let name = String(word[..<sign])
      return "\(name)=\(value(String(word[word.index(after: sign)...]), of: name))"
    }
    guard !flags.contains(word), let next = words.first, !next.hasPrefix("-") || next == "-" else {
      return word
    }
    words.removeFirst()
    return "\(word) \(value(next, of: word))"
  }

  private static func value(_ value: String, of name: String) -> String {
    if plain.contains(name) { return withoutCredentials(value) }
    guard named.contains(name), let sign = value.firstIndex(of: "=") else { return mark }
    return String(value[...sign]) + mark
  }

  /// `scheme://user:word@host` without the part before the host.
  private static func withoutCredentials(_ word: String) -> String {
    guard let scheme = word.firstRange(of: "://"),
      let at = word[scheme.upperBound...].lastIndex(of: "@")
    else { return word }
    return word[..<scheme.upperBound] + mark + word[at...]
  }
}
