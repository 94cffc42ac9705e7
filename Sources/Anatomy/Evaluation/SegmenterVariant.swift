import Imaging

/// Ways to segment a scan with parts of the method switched on or off, so that each one's worth can be
/// measured.
package struct SegmenterVariant: Sendable {
  package private(set) var name: String
  private var usesIntensities = true
  private var hasTissueGroups = true
  private var fitsBias = true
  private var fitsWarp = true
  private var usesLatent = true
  private var refines = true
  private var usesContext = true
  private var givesMixedVoxels = true
  private var likelihood: EncoderSettings.Likelihood?

  private init(_ name: String, _ change: (inout SegmenterVariant) -> Void = { _ in }) {
    self.name = name
    change(&self)
  }

  /// The whole method.
  package static let whole = SegmenterVariant("whole")
  /// The whole method but for all that was trained: location prior, warp and expectation maximisation.
  package static let untrained = SegmenterVariant("nothing trained") {
    $0.usesLatent = false
    $0.usesContext = false
  }
  package static let withoutLatent = SegmenterVariant("whole without z") { $0.usesLatent = false }
  package static let withoutContext = SegmenterVariant("whole without context") {
    $0.usesContext = false
  }

  /// What each part that was trained is worth.
  package static func trained(_ learned: Learned) -> [SegmenterVariant] {
    let (hasLatent, hasContext) = (learned.prior != nil, learned.context != nil)
    return (hasLatent || hasContext ? [.untrained] : [])
      + (hasLatent && hasContext ? [.withoutContext, .withoutLatent] : []) + [.whole]
  }

  /// From the location prior alone to the whole, part by part; then the whole without each part. Those that
  /// need what was not trained are left out.
  package static func all(_ learned: Learned) -> [SegmenterVariant] {
    var steps: [SegmenterVariant] = []
    var parts = SegmenterVariant("location prior") {
      $0.usesIntensities = false
      $0.hasTissueGroups = false
      $0.fitsBias = false
      $0.fitsWarp = false
      $0.usesLatent = false
      $0.refines = false
      $0.usesContext = false
      $0.givesMixedVoxels = false
    }
    func add(_ name: String, _ change: (inout SegmenterVariant) -> Void) {
      parts.name = name
      change(&parts)
      steps.append(parts)
    }
    add("location prior") { _ in }
    add("+ EM") { $0.usesIntensities = true }
    add("+ tissue groups") { $0.hasTissueGroups = true }
    add("+ bias field") { $0.fitsBias = true }
    add("+ warp") { $0.fitsWarp = true }
    add("+ mixed voxels") { $0.givesMixedVoxels = true }
    if learned.prior != nil {
      add("+ encoder z") { $0.usesLatent = true }
      add("+ refined z") { $0.refines = true }
    }
    if learned.context != nil { add("+ context") { $0.usesContext = true } }
    steps += [
      SegmenterVariant("whole without tissue groups") { $0.hasTissueGroups = false },
      SegmenterVariant("whole without bias field") { $0.fitsBias = false },
      SegmenterVariant("whole without warp") { $0.fitsWarp = false },
      SegmenterVariant("whole without mixed voxels") { $0.givesMixedVoxels = false },
    ]
    if learned.prior != nil {
      steps += [
        withoutLatent,
        SegmenterVariant("whole, refined by Jensen") { $0.likelihood = .jensen },
      ]
    }
    return steps
  }

  /// The segmenter of this variant. Throws as `Segmenter`.
  package func segmenter(
    _ prior: LocationPrior, learned: Learned, settings: Segmenter.Settings
  ) throws -> Segmenter {
    var settings = settings
    settings.usesIntensities = usesIntensities
    settings.fitsBias = fitsBias && settings.fitsBias
    settings.fitsWarp = fitsWarp && settings.fitsWarp
    settings.givesMixedVoxels = givesMixedVoxels
    if !refines { settings.refinements = 0 }
    if let likelihood { settings.likelihood = likelihood }
    settings.usesLatent = usesLatent && settings.usesLatent
    settings.usesContext = usesContext && settings.usesContext
    let own = usesLatent || usesContext ? learned : .nothing
    if hasTissueGroups { return try Segmenter(prior: prior, learned: own, settings: settings) }
    let table = try prior.table.ungrouped()
    return try Segmenter(
      prior: prior.replacing(table), learned: own.replacing(table), settings: settings)
  }
}

extension LabelTable {
  /// The same labels, each a tissue group of its own.
  fileprivate func ungrouped() throws -> LabelTable {
    try LabelTable(
      labels: labels.map { label in
        var label = label
        label.group = "label-\(label.index)"
        return label
      })
  }
}
