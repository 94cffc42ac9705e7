/// Which stage needs which.
package struct StageGraph {
  /// Every stage after those it needs.
  package let ordered: [StagePlan]
  /// By id, the stages whose outputs it reads.
  package let needs: [String: [String]]
  /// By output.
  private let makers: [String: String]

  /// - Throws: `PipelineError.cycle`, `.sameOutput`.
  package init(_ stages: [StagePlan]) throws {
    var makers: [String: String] = [:]
    for stage in stages {
      for output in stage.outputs {
        if let other = makers[output.path] {
          throw PipelineError.sameOutput(path: output.path, stages: [other, stage.id])
        }
        makers[output.path] = stage.id
      }
    }
    self.makers = makers
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

  /// The stage that makes what is at a place, itself or a folder above it.
  package func maker(of location: Location) -> String? { Self.maker(of: location, makers) }

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
