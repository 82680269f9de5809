/// Why a command ends without having done what was asked.
struct Failure: Error, Hashable {
  /// What was attempted on what, and why it failed; lower case, no full stop.
  var message: String
  /// How to go on.
  var help: String?
  /// What the process's exit code tells.
  var status: ExitStatus

  /// Describes a failure.
  init(_ message: String, help: String? = nil, status: ExitStatus = .failed) {
    self.message = message
    self.help = help
    self.status = status
  }
}

/// Ends a command with an exit code when all there is to say was said already.
struct QuietExit: Error {
  /// The exit code.
  var status: ExitStatus
}
