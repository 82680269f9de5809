/// What a command tells its caller by its exit code; the one list of them.
public enum ExitStatus: Int32, Sendable, CaseIterable {
  /// Done; with `plan --detailed-exitcode`: nothing to do. For `diff`: no difference.
  case done = 0
  /// Failed, nothing or not all was done; for `diff`: there are differences.
  case failed = 1
  /// The plan has changes (`plan --detailed-exitcode`).
  case changes = 2
  /// Refused by protection or by what the engine can't do.
  case refused = 3
  /// Waiting took longer than `--timeout`.
  case timedOut = 4
  /// Some acts were done and some were not.
  case partlyApplied = 5
  /// Converted, but not everything of the source could be kept.
  case dropped = 6
  /// The command line itself is wrong (EX_USAGE of sysexits.h).
  case usage = 64
  /// Ended by SIGINT or SIGTERM, as shells report it.
  case interrupted = 130
}
