internal import ArgumentParser
internal import Conversion
internal import Diagnostics
internal import EngineInterface
internal import JSON
internal import Resources
internal import SystemIO

/// What any error of any layer comes down to: message, help and exit code.
///
/// The one place where errors become words.
struct ErrorReport: Hashable {
  /// What went wrong.
  var message: String
  /// How to go on.
  var help: String?
  /// The process's exit code.
  var status: ExitStatus

  /// Reads an error.
  init(_ error: any Error) {
    switch error {
    case let failure as Failure:
      (message, help, status) = (failure.message, failure.help, failure.status)
    case let error as EngineError:
      (message, help) = (error.message, error.help)
      status = ErrorReport.status(of: error.code)
    case let error as SystemError:
      (message, help, status) = (error.description, ErrorReport.help(for: error), .failed)
    case let error as ConversionError:
      (message, help, status) = (error.message, error.help, .failed)
    case is ConversionCancelled:
      (message, help, status) = ("\(error)", nil, .interrupted)
    case let error as SpecificationError:
      message = "a stored specification is damaged: \(error)"
      (help, status) = ("run `ingot doctor`", .failed)
    case is CancellationError:
      (message, help, status) = ("interrupted", nil, .interrupted)
    default:
      (message, help, status) = (String(describing: error), nil, .failed)
    }
  }

  /// The text for standard error: `error: message`, then `help: …`.
  func text(_ style: Style) -> String {
    // An error of a lower layer may carry its help as a line of its own already.
    var text = style.paint("error:", .bad) + " " + message
    if let help { text += "\nhelp: \(help)" }
    return text
  }

  /// The same as JSON.
  var json: JSONValue {
    var value: JSONValue = ["severity": "error", "message": .string(message)]
    if let help { value["help"] = .string(help) }
    return ["format_version": "1.0", "diagnostics": .array([value])]
  }

  private static func status(of code: EngineError.Code) -> ExitStatus {
    switch code {
    case "protected", "refused", "unsupported": .refused
    case "timeout", "timed-out": .timedOut
    case "cancelled": .interrupted
    default: .failed
    }
  }

  private static func help(for error: SystemError) -> String? {
    if error.isOutOfSpace { return "free space on that file system and run the command again" }
    if error.isDenied { return "check the owner and mode of that path, or choose another" }
    if error.isNotFound { return "check the path" }
    return nil
  }
}
