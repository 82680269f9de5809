internal import EngineInterface
public import Resources

extension Plan {
  /// The machines that run once the plan is done and that it makes, changes or starts: what `apply`
  /// waits for.
  public var awaitedMachines: [ResourceID] {
    actions.compactMap { action in
      switch action.act {
      case .start(let id): return id
      case .create(let resource), .update(let resource, _), .replace(let resource):
        guard resource.id.kind == .virtualMachine else { return nil }
        switch MachineFacts(resource.spec).runStrategy {
        case .always: return resource.id
        case .rerunOnFailure: return action.reason.code == .changed ? nil : resource.id
        case .manual, .halted: return nil
        }
      case .delete, .retain, .stop: return nil
      }
    }.sorted()
  }
}
