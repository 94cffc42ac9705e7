extension Runner {
  /// What a run would do, found without changing anything. Of stages that `staysFailed` names, others are
  /// told as if they failed again.
  package func prospects(staysFailed: (String) -> Bool = { _ in false }) -> [(
    plan: StagePlan, prospect: Prospect
  )] {
    let chosen = Set(plans.map(\.id))
    let failed = Set(graph.ordered.map(\.id).filter(staysFailed))
    var found: [String: Prospect] = [:]
    func isGood(_ id: String) -> Bool {
      switch found[id] {
      case .reuse: true
      case .run: chosen.contains(id) && !failed.contains(id)
      case .blocked, .failing, nil: false
      }
    }
    for plan in graph.ordered {
      found[plan.id] = prospect(of: plan, found, isGood)
    }
    return plans.compactMap { plan in found[plan.id].map { (plan, $0) } }
  }

  private func prospect(
    of plan: StagePlan, _ found: [String: Prospect], _ isGood: @escaping (String) -> Bool
  ) -> Prospect {
    if let blocker = blocker(of: plan, isGood: isGood) { return .blocked(by: blocker) }
    for need in graph.needs[plan.id, default: []] {
      if case .run? = found[need], isGood(need) { return .run([.after(stage: need)]) }
    }
    var check = StageCheck(workspace, ledger)
    check.isFresh = { [graph] location in graph.isFresh(location, isGood: isGood) }
    do {
      switch try check.verdict(on: plan) {
      case .holds: return .reuse
      case .redo(let reasons): return .run(reasons)
      }
    } catch {
      return .failing(error)
    }
  }
}
