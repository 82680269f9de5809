internal import Glibc
internal import SystemIO

/// Ends this process at the step that a test has chosen, or only tells which steps there are.
///
/// The processes of a run share a directory. While it holds the file `fault`, each adds the steps
/// it comes to to the file `steps`; the process of the victim's kind kills itself where the file
/// names the step.
package struct FaultPoints: Sendable {
  /// A kind of process that can die.
  package enum Victim: String, Sendable, CaseIterable {
    case command, monitor, network, qemu
  }

  /// A step to die at: the place, and how often it is passed before.
  package struct Fault: Sendable, Hashable, CustomStringConvertible {
    /// Who dies.
    package var victim: Victim
    /// Where.
    package var place: String
    /// At which passing of the place, from 1.
    package var occurrence: Int

    /// Names a step.
    package init(_ victim: Victim, _ place: String, occurrence: Int) {
      self.victim = victim
      self.place = place
      self.occurrence = occurrence
    }

    /// The step in words.
    package var description: String { "\(victim.rawValue) dies \(place) (\(occurrence))" }
  }

  private let root: String
  private let victim: Victim

  /// Makes the points of one process.
  ///
  /// - Parameter root: the directory of the run.
  package init(root: String, victim: Victim) {
    self.root = root
    self.victim = victim
  }

  /// Takes all lasting steps of this process for places to die at.
  package func install() {
    LastingStep.watch { place in reach(place) }
  }

  /// Comes to a place.
  package func reach(_ place: String) {
    guard let order = Self.text(of: root + "/fault") else { return }
    let line = "\(victim.rawValue)\t\(normalized(place))"
    // By the system's own calls: those of SystemIO are steps themselves.
    let file = Glibc.open(root + "/steps", O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0 else { return }
    defer { _ = Glibc.close(file) }
    flock(file, LOCK_EX)
    let bytes = Array((line + "\n").utf8)
    _ = Glibc.write(file, bytes, bytes.count)
    let parts = order.split(separator: "\n", omittingEmptySubsequences: false)
    guard parts.count >= 2, parts[0] == line, let wanted = Int(parts[1]) else { return }
    let passed = Self.text(of: root + "/steps")?.split(separator: "\n").count { $0 == line }
    guard passed == wanted else { return }
    _ = Glibc.close(Glibc.open(root + "/died", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600))
    kill(getpid(), SIGKILL)
    while true { pause() }
  }

  /// Orders a death, or with nil that steps are only noted; what was noted before is forgotten.
  package static func order(_ fault: Fault?, in root: String) throws {
    try removeFile(root + "/steps")
    try removeFile(root + "/died")
    let text = fault.map { "\($0.victim.rawValue)\t\($0.place)\n\($0.occurrence)\n" } ?? "none\n"
    try replaceFile(root + "/fault", with: Array(text.utf8))
  }

  /// Lets all live from now on.
  package static func withdraw(in root: String) throws { try removeFile(root + "/fault") }

  /// Whether the victim died.
  package static func hasStruck(in root: String) -> Bool { fileExists(root + "/died") }

  /// The steps passed so far, in order, each with its number among its like.
  package static func steps(in root: String) -> [Fault] {
    var counts: [Substring: Int] = [:]
    return (text(of: root + "/steps") ?? "").split(separator: "\n").compactMap { line in
      let parts = line.split(separator: "\t", maxSplits: 1)
      guard parts.count == 2, let victim = Victim(rawValue: String(parts[0])) else { return nil }
      counts[line, default: 0] += 1
      return Fault(victim, String(parts[1]), occurrence: counts[line] ?? 0)
    }
  }

  /// The place without what differs from run to run: the directory and the identities in it.
  private func normalized(_ place: String) -> String {
    let bytes = Array(place.utf8)
    let prefix = Array(root.utf8)
    var index = 0
    var result: [UInt8] = []
    while index < bytes.count {
      if bytes[index...].starts(with: prefix) {
        index += prefix.count
      } else if index + 36 <= bytes.count, Self.isIdentity(bytes[index..<index + 36]) {
        result.append(UInt8(ascii: "*"))
        index += 36
      } else {
        result.append(bytes[index])
        index += 1
      }
    }
    // Where a program lies is of no interest.
    let text = String(decoding: result, as: UTF8.self)
    let words = text.split(separator: " ", maxSplits: 2)
    guard words.count == 3, words[1] == "start", let slash = words[2].lastIndex(of: "/") else {
      return text
    }
    return "\(words[0]) start \(words[2][words[2].index(after: slash)...])"
  }

  private static func isIdentity(_ bytes: ArraySlice<UInt8>) -> Bool {
    bytes.enumerated().allSatisfy { index, byte in
      switch index {
      case 8, 13, 18, 23: byte == UInt8(ascii: "-")
      default: (48...57).contains(byte) || (97...102).contains(byte)
      }
    }
  }

  private static func text(of path: String) -> String? {
    let file = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { _ = Glibc.close(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(file, &chunk, chunk.count)
      if count <= 0 { break }
      bytes += chunk[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
