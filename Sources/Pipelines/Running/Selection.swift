/// The stages that a run's options choose.
struct Selection {
  let ids: Set<String>

  /// - Throws: `PipelineError.unknownStage`, `.nothingBetween`.
  init(_ graph: StageGraph, _ options: RunOptions) throws {
    var groups: [String] = []
    for plan in graph.ordered where !groups.contains(plan.group) { groups.append(plan.group) }
    for name in [options.until, options.from].compactMap({ $0 }) where !groups.contains(name) {
      throw PipelineError.unknownStage(name, known: groups)
    }
    var ids = Set(graph.ordered.map(\.id))
    if let until = options.until {
      // Backwards: who needs a stage comes after it.
      var wanted: Set<String> = []
      for plan in graph.ordered.reversed() where plan.group == until || wanted.contains(plan.id) {
        wanted.insert(plan.id)
        wanted.formUnion(graph.needs[plan.id, default: []])
      }
      ids.formIntersection(wanted)
    }
    if let from = options.from {
      var wanted: Set<String> = []
      for plan in graph.ordered
      where plan.group == from
        || graph.needs[plan.id, default: []].contains(where: wanted.contains)
      {
        wanted.insert(plan.id)
      }
      ids.formIntersection(wanted)
      if ids.isEmpty, let until = options.until {
        throw PipelineError.nothingBetween(from: from, until: until)
      }
    }
    if let shard = options.shard {
      ids.formIntersection(graph.ordered.filter { shard.includes($0) }.map(\.id))
    }
    if let items = options.items {
      ids.formIntersection(
        graph.ordered.filter { $0.item.map(items.contains) ?? !$0.gathers }.map(\.id))
    }
    if options.gathersOnly {
      ids.formIntersection(graph.ordered.filter(\.gathers).map(\.id))
    }
    self.ids = ids
  }
}
