/// Which stage needs which.
package struct StageGraph {
  /// Every stage after those it needs.
  package let ordered: [StagePlan]
  /// By id, the stages whose outputs it reads.
  package let needs: [String: [String]]
  /// By output.
  private let makers: [String: String]
  /// By the place of the note of a stage's failure.
  private let failures: [Location: String]

  /// - Throws: `PipelineError.cycle`, `.sameOutput`.
  package init(_ stages: [StagePlan]) throws {
    var makers: [String: String] = [:]
    for stage in stages {
      for output in stage.outputs {
        if makers[output.path] != nil { throw Self.clash(at: output.path, stages) }
        makers[output.path] = stage.id
      }
    }
    self.makers = makers
    failures = Dictionary(stages.map { (Workspace.failure(of: $0.id), $0.id) }) { first, _ in first
    }
    var needs: [String: [String]] = [:]
    for stage in stages {
      var found: [String] = []
      var seen: Set<String> = []
      for input in stage.inputs {
        if let maker = Self.maker(of: input.location, makers), seen.insert(maker).inserted {
          found.append(maker)
        }
      }
      needs[stage.id] = found
    }
    self.needs = needs
    ordered = try Self.order(stages, needs)
  }

  private static func clash(at path: String, _ stages: [StagePlan]) -> PipelineError {
    let makers = stages.filter { $0.outputs.contains { $0.path == path } }.prefix(2)
    let inputs = makers.map { stage in
      let others = makers.filter { $0 != stage }.flatMap(\.inputs)
      return stage.inputs.first { !others.contains($0) } ?? stage.inputs.first
    }
    return .sameOutput(
      path: path, stages: makers.map(\.id), inputs: inputs.compactMap { $0?.location.path })
  }

  /// The stage that makes what is at a place, itself or a folder above it.
  package func maker(of location: Location) -> String? { Self.maker(of: location, makers) }

  /// Whether what is at a place may be read, by which stages gave what they should: their outputs where they did,
  /// notes of their failures where they did not, whatever else always.
  func isFresh(_ location: Location, isGood: (String) -> Bool) -> Bool {
    if let failed = failures[location] { return !isGood(failed) }
    return maker(of: location).map(isGood) ?? true
  }

  private static func maker(of location: Location, _ makers: [String: String]) -> String? {
    guard case .workspace(var path) = location else { return nil }
    while true {
      if let maker = makers[path] { return maker }
      guard let slash = path.lastIndex(of: "/") else { return nil }
      path = String(path[..<slash])
    }
  }

  private static func order(
    _ stages: [StagePlan], _ needs: [String: [String]]
  ) throws -> [StagePlan] {
    var ordered: [StagePlan] = []
    var placed: Set<String> = []
    var waiting = stages
    while !waiting.isEmpty {
      var later: [StagePlan] = []
      for stage in waiting {
        if needs[stage.id, default: []].allSatisfy({ placed.contains($0) }) {
          ordered.append(stage)
          placed.insert(stage.id)
        } else {
          later.append(stage)
        }
      }
      guard later.count < waiting.count else { throw PipelineError.cycle(later.map(\.id)) }
      waiting = later
    }
    return ordered
  }
}
