/// The forms of an act's verb: `create`, `creating`, `created`.
struct ActWords: Hashable {
  /// As an order: `destroy`.
  var order: String
  /// While it lasts: `destroying`.
  var ongoing: String
  /// Once it is done: `destroyed`.
  var done: String

  /// The forms of `Act.verb`, or of a word that is formed alike.
  init(_ verb: String) {
    switch verb {
    case "delete": (order, ongoing, done) = ("destroy", "destroying", "destroyed")
    case "stop": (order, ongoing, done) = ("stop", "stopping", "stopped")
    case "wait": (order, ongoing, done) = ("become ready", "waiting", "ready")
    case _ where verb.hasPrefix("wait for "):
      let goal = verb.dropFirst("wait for ".count)
      (order, ongoing, done) = ("meet \(goal)", "waiting for \(goal)", "met \(goal)")
    case "build": (order, ongoing, done) = ("build", "building", "built")
    case _ where verb.hasSuffix("e"):
      (order, ongoing, done) = (verb, verb.dropLast() + "ing", verb + "d")
    default: (order, ongoing, done) = (verb, verb + "ing", verb + "ed")
    }
  }
}
