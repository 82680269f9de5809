public import Diagnostics
public import JSON

extension Specification {
  /// Reads a normalised specification and says what is wrong with it beyond its single fields:
  /// limits below guarantees, addresses outside their network, disks that nothing could boot.
  ///
  /// The diagnostics have paths that begin with `spec.` and no places. There is no specification
  /// where a field is not as its table promises, which a diagnostic tells.
  public static func checked(
    _ kind: Kind, _ spec: JSONValue
  ) -> (specification: Specification?, problems: [Diagnostic]) {
    do throws(SpecificationError) {
      let specification = try Specification(kind, spec)
      return (specification, specification.problems(in: spec))
    } catch {
      let problem = Diagnostic(
        "damaged-specification", "expected \(error.expected)", path: error.path)
      return (nil, [problem])
    }
  }

  private func problems(in spec: JSONValue) -> [Diagnostic] {
    switch self {
    case .storagePool, .image: []
    case .resourcePool(let pool): Self.problems(pool)
    case .network(let network): Self.problems(network, spec)
    case .securityGroup: Self.ruleProblems(spec)
    case .volume(let volume): [Self.wholeSectors(volume.size, "spec.size")].compactMap { $0 }
    case .virtualMachine(let machine): Self.problems(machine) + Self.choiceProblems(spec)
    }
  }

  /// A diagnostic for fields that are fine alone and wrong together.
  static func conflict(_ message: String, _ path: String, help: String? = nil) -> Diagnostic {
    Diagnostic("conflicting-fields", message, path: path, help: help)
  }

  /// What is wrong with a disk's size that is no whole number of 512-byte sectors.
  static func wholeSectors(_ size: Int64, _ path: String) -> Diagnostic? {
    size % 512 == 0
      ? nil
      : Diagnostic(
        "invalid-value", "\(Quantity.text(bytes: size)) is no whole number of 512-byte sectors",
        path: path, help: "use Ki, Mi or Gi")
  }

  private static func problems(_ pool: ResourcePoolSpecification) -> [Diagnostic] {
    func check(_ part: ResourcePoolSpecification.Part, _ name: String, _ text: (Int64) -> String)
      -> Diagnostic?
    {
      guard let limit = part.limit, part.reservation > limit else { return nil }
      return conflict(
        "the reservation of \(text(part.reservation)) is above the limit of \(text(limit))",
        "spec.\(name).reservation", help: "lower the reservation or raise the limit")
    }
    return [
      check(pool.cpu, "cpu", Quantity.text(millicores:)),
      check(pool.memory, "memory", Quantity.text(bytes:)),
    ].compactMap { $0 }
  }
}
