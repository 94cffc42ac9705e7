import Imaging

/// How fast the latent of a scan is found from what the encoder makes of it, and from zero, the latent of
/// the average anatomy.
package struct RefinementRace: Sendable {
  /// Tempered, in nats, before each step and after the last; less is better.
  package struct Course: Sendable {
    /// Negative log-posteriors, which refinement minimises.
    package let losses: [Double]
    /// Their part without log p(z): negative log-likelihoods.
    package let likelihoods: [Double]
  }

  package let fromEncoder: Course
  package let fromZero: Course

  /// Steps after which the encoder's latent is as good as zero's at the end; nil: it never is.
  package var stepsOfEncoder: Int? { Self.steps(fromEncoder.losses, fromZero.losses) }
  /// The same by the likelihood alone.
  package var stepsToLikelihood: Int? { Self.steps(fromEncoder.likelihoods, fromZero.likelihoods) }

  private static func steps(_ values: [Double], _ others: [Double]) -> Int? {
    values.firstIndex { $0 <= others[others.count - 1] }
  }
}

extension Segmenter {
  /// Refines z of a scan from both starts, by `steps` steps each.
  ///
  /// - Precondition: there is a learned prior.
  /// - Throws: as `segment`.
  package func race(
    _ scan: Volume<Float>, path: String, steps: Int, trace: (String) -> Void = { _ in }
  ) throws -> RefinementRace {
    guard let learned = learned.prior else { preconditionFailure("no learned prior") }
    let fit = try observe(scan, path: path, trace: trace)
    let seen = ScanObservation(fit.half, model: fit.model, table: prior.table)
    let reader = try ScanReader(learned)
    func refined(fromZero: Bool) throws -> RefinementRace.Course {
      var anatomy = ScanAnatomy(
        learned, reader: reader, seen: seen, likelihood: settings.likelihood)
      if fromZero { anatomy.startFromZero() }
      let losses = try anatomy.refine(steps: steps) + [try anatomy.loss()]
      return .init(losses: losses.map(\.total), likelihoods: losses.map(\.likelihood))
    }
    return RefinementRace(
      fromEncoder: try refined(fromZero: false), fromZero: try refined(fromZero: true))
  }
}
