import Imaging

extension AffineRegistration {
  /// How much better the scan fits the atlas after half a turn about one of the body's axes, in nats a
  /// coarse sample; negative where it fits best as it is declared.
  ///
  /// A header that names an axis the wrong way round mirrors the body. Left and right being alike, that is
  /// nearly half a turn, which no search around the declared axes can find. Sizes stay as the fit has them: a
  /// shrunken head would fit as well either way round.
  func gainOfHalfTurn(samples: ScanSamples, prior: GroupPrior) -> Double {
    func refined(_ start: Affine) -> Double {
      var fit = AffineRegistration(start, samples: samples, prior: prior, kind: kind)
      fit.refine(samples: samples, prior: prior, freedom: .rigid, iterations: 12)
      return fit.plausibility
    }
    let centre = prior.grid.centre
    var best = -Double.infinity
    for axis in 0..<3 {
      let turn = Self.rotation(axis: axis, degrees: 180)
      for shift in [-20.0, 0, 20] {
        let turned = Affine(
          columns: turn.columns,
          translation: centre - turn.linear(centre)
            + (axis == 2 ? SIMD3(0, shift, 0) : SIMD3(0, 0, shift)))
        best = max(best, refined(turned * transform))
      }
    }
    return best - refined(transform)
  }
}
