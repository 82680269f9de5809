import JSON
import Testing

/// What `ingot apply -o json` told.
struct ApplyAnswer {
  var code: Int32
  var errors: String
  private var report: JSONValue

  init(_ answer: Ingot.Answer) throws {
    (code, errors) = (answer.code, answer.errors)
    report = answer.output.isEmpty ? [:] : try JSONValue(parsing: answer.output)
  }

  /// The planned change of a resource.
  func change(of subject: String) -> JSONValue? {
    Self.find(subject, in: report["plan"]?["changes"])
  }

  /// What came of it.
  func result(of subject: String) -> JSONValue? { Self.find(subject, in: report["results"]) }

  /// The codes of what was refused.
  var refusals: [String] {
    (report["plan"]?["refused"]?.array ?? []).compactMap { $0["code"]?.string }
  }

  /// The codes of errors in the manifests.
  var errorCodes: [String] {
    (report["diagnostics"]?.array ?? []).compactMap { $0["code"]?.string }
  }

  /// The addresses of all that was to be changed.
  var changed: [String] {
    (report["plan"]?["changes"]?.array ?? []).compactMap { $0["address"]?.string }
  }

  private static func find(_ subject: String, in list: JSONValue?) -> JSONValue? {
    list?.array?.first { $0["address"]?.string == subject }
  }
}

/// A machine as `ingot get -o json` shows it.
struct MachineView: Equatable {
  var processID: Int64?
  var state: String?
  var restartRequired: Set<String>
  var directory: String
  var details: JSONValue

  init(_ resource: JSONValue) throws {
    let machine = try #require(resource["status"]?["machine"])
    details = try #require(resource["status"]?["details"])
    directory = try #require(details["directory"]?.string)
    processID = machine["processID"]?.integer
    state = machine["state"]?.string
    let condition = resource["status"]?["conditions"]?.array?.first {
      $0["type"]?.string == "RestartRequired"
    }
    let reasons = condition?["status"] == "True" ? condition?["reason"]?.string ?? "" : ""
    restartRequired = Set(reasons.split(separator: ", ").map(String.init))
  }
}

extension FieldCase.Promise {
  /// The word of plans and outcomes.
  var word: String {
    switch self {
    case .none: "none"
    case .live: "live"
    case .nextBoot: "next-boot"
    case .restart: "restart"
    case .replace: "replace"
    case .refused, .invalid: "refused"
    }
  }
}
