internal import EngineInterface
internal import JSON

/// What happens to one piece of work.
enum WorkEvent: Sendable {
  /// It began.
  case started
  /// It came further.
  case progress(ActProgress)
  /// It is done; the notes are sentences for the user.
  case finished(notes: [String])
  /// It failed.
  case failed(message: String)
  /// It was not begun.
  case skipped(because: String)
}

/// The pieces of work under way and what is said of them; knows no clock and no terminal.
struct ProgressBoard {
  /// How text is painted.
  var style: Style
  /// Seconds between two lines on one piece of work, where lines stay.
  static let interval: UInt64 = 10_000_000_000

  private struct Work {
    var subject: String
    var words: ActWords
    var began: UInt64
    var progress: ActProgress?
    var phaseBegan: UInt64
    var lastLine: UInt64
  }

  private var works: [Work] = []

  /// Begins with nothing under way.
  init(style: Style) { self.style = style }

  /// What is under way, for a process that ends at once.
  var leftovers: [String] { works.map { "\($0.subject): \($0.words.ongoing)" } }

  /// Takes an event in.
  ///
  /// - Parameters:
  ///   - now: nanoseconds on a steady clock.
  ///   - isLive: whether what is under way is drawn elsewhere, so that a start needs no line.
  /// - Returns: the lines that stay.
  mutating func take(
    _ event: WorkEvent, _ subject: String, _ verb: String, now: UInt64, isLive: Bool
  ) -> [String] {
    let words = ActWords(verb)
    let index = works.firstIndex { $0.subject == subject && $0.words == words }
    switch event {
    case .started:
      guard index == nil else { return [] }
      works.append(
        Work(subject: subject, words: words, began: now, phaseBegan: now, lastLine: now))
      return isLive ? [] : ["\(subject): \(words.ongoing)..."]
    case .progress(let progress):
      guard let index else { return [] }
      if works[index].progress?.phase != progress.phase { works[index].phaseBegan = now }
      works[index].progress = progress
      return []
    case .finished(let notes):
      let time = index.map { " [\(elapsedText(now - works.remove(at: $0).began))]" } ?? ""
      return [style.paint("✓", .good) + " \(subject): \(words.done)\(time)"]
        + notes.map { "    \(sanitized($0))" }
    case .failed(let message):
      let time = index.map { " [\(elapsedText(now - works.remove(at: $0).began))]" } ?? ""
      let head = style.paint("✗", .bad) + " \(subject): failed to \(words.order)\(time)"
      return [head] + message.split(separator: "\n").map { "    \($0)" }
    case .skipped(let reason):
      return [style.paint("-", .caution) + " \(subject): not \(words.done), \(sanitized(reason))"]
    }
  }

  /// The lines that are due for works of which nothing was said for `interval`.
  mutating func due(now: UInt64) -> [String] {
    var lines: [String] = []
    for index in works.indices where now - works[index].lastLine >= Self.interval {
      works[index].lastLine = now
      let work = works[index]
      let state = detail(work, now).map { ", \($0)" } ?? ""
      lines.append(
        "\(work.subject): still \(work.words.ongoing)\(state) [\(elapsedText(now - work.began))]")
    }
    return lines
  }

  /// A line for each work under way, cut to the terminal's width.
  func drawing(now: UInt64, width: Int) -> [String] {
    let subjects = works.map { displayWidth($0.subject) }.max() ?? 0
    return works.map { work in
      var line = "  \(padded(work.subject, to: subjects))  \(work.words.ongoing)"
      line += "  \(elapsedText(now - work.began))"
      if let progress = work.progress, let bar = Self.bar(progress) { line += "  \(bar)" }
      if let detail = detail(work, now) { line += "  \(detail)" }
      return truncated(line, to: width - 1)
    }
  }

  /// `packing 45%, 120 MiB of 270 MiB, 85 MiB/s, 2s left`.
  private func detail(_ work: Work, _ now: UInt64) -> String? {
    guard let progress = work.progress else { return nil }
    var parts = [sanitized(progress.phase)]
    if let total = progress.total, total > 0 {
      parts[0] += " \(min(100, progress.completed / max(1, total / 100)))%"
      parts.append("\(sizeText(Int64(progress.completed))) of \(sizeText(Int64(total)))")
    } else if progress.completed > 0 {
      parts.append(sizeText(Int64(progress.completed)))
    }
    let milliseconds = Int((now - work.phaseBegan) / 1_000_000)
    if milliseconds >= 1000, progress.completed > 0 {
      let rate = Int(Double(progress.completed) * 1000 / Double(milliseconds))
      parts.append("\(sizeText(Int64(rate)))/s")
      if let total = progress.total, rate > 0, total > progress.completed {
        parts.append(
          "\(elapsedText(UInt64((total - progress.completed) / rate) * 1_000_000_000)) left")
      }
    }
    return parts.joined(separator: ", ")
  }

  private static func bar(_ progress: ActProgress) -> String? {
    guard let total = progress.total, total > 0 else { return nil }
    let width = 20
    let full = min(width, max(0, progress.completed) / max(1, total / width))
    return "[" + String(repeating: "#", count: full) + String(repeating: ".", count: width - full)
      + "]"
  }
}

extension WorkEvent {
  /// The event as a member of JSON lines: `{"type": "progress", "address": …}`.
  func json(_ subject: String, _ verb: String) -> JSONValue {
    var value: JSONValue = [
      "type": .string(word), "address": .string(subject), "act": .string(verb),
    ]
    switch self {
    case .started: break
    case .progress(let progress):
      value["phase"] = .string(progress.phase)
      value["completed"] = .integer(Int64(progress.completed))
      value["total"] = JSONValue(progress.total)
    case .finished(let notes): value["notes"] = .array(notes.map(JSONValue.string))
    case .failed(let message): value["message"] = .string(message)
    case .skipped(let reason): value["reason"] = .string(reason)
    }
    return value
  }

  private var word: String {
    switch self {
    case .started: "started"
    case .progress: "progress"
    case .finished: "finished"
    case .failed: "failed"
    case .skipped: "skipped"
    }
  }
}
