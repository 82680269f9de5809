internal import JSON

/// One thing that ingot needs of the host, looked at.
struct Check: Hashable, Sendable {
  /// How it stands.
  enum Verdict: String, Sendable, Comparable {
    /// As it should be.
    case ok
    /// Something can't be done or is slow; the rest works.
    case warn
    /// ingot can't do its main job.
    case fail

    /// The better comes first.
    static func < (a: Verdict, b: Verdict) -> Bool { a.rank < b.rank }
    private var rank: Int { self == .ok ? 0 : self == .warn ? 1 : 2 }
  }

  /// What was looked at: `QEMU`.
  var name: String
  /// How it stands.
  var verdict: Verdict
  /// What was found.
  var detail: String
  /// How to mend it; nil where nothing is wrong.
  var help: String?

  /// Nothing to mend.
  static func ok(_ name: String, _ detail: String) -> Check {
    Check(name: name, verdict: .ok, detail: detail, help: nil)
  }

  /// Something that costs speed or a feature.
  static func warn(_ name: String, _ detail: String, help: String) -> Check {
    Check(name: name, verdict: .warn, detail: detail, help: help)
  }

  /// Something without which nothing runs.
  static func fail(_ name: String, _ detail: String, help: String?) -> Check {
    Check(name: name, verdict: .fail, detail: detail, help: help)
  }

  /// The check as JSON.
  var json: JSONValue {
    [
      "name": .string(name), "verdict": .string(verdict.rawValue), "detail": .string(detail),
      "help": JSONValue(help),
    ]
  }
}

/// The report of `doctor`.
struct CheckView {
  /// How text is painted.
  var style: Style

  /// A line a check, with the way to mend it below, and what it comes to.
  func lines(_ checks: [Check]) -> [String] {
    let width = checks.map { displayWidth($0.name) }.max() ?? 0
    var lines: [String] = []
    for check in checks {
      let word = style.paint(padded(check.verdict.rawValue, to: 4), ink(check.verdict))
      lines.append("\(word)  \(padded(check.name, to: width))  \(sanitized(check.detail))")
      if let help = check.help {
        lines.append(String(repeating: " ", count: width + 8) + "help: \(sanitized(help))")
      }
    }
    let failed = checks.filter { $0.verdict == .fail }.count
    let warned = checks.filter { $0.verdict == .warn }.count
    let end =
      failed > 0
      ? "\(counted(failed, "failure")), \(counted(warned, "warning"))."
      : warned > 0 ? "Ready, with \(counted(warned, "warning"))." : "Ready."
    return lines + ["", end]
  }

  private func ink(_ verdict: Check.Verdict) -> Style.Ink {
    switch verdict {
    case .ok: .good
    case .warn: .caution
    case .fail: .bad
    }
  }
}
