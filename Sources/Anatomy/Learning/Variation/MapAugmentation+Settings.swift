extension MapAugmentation {
  /// How much maps are varied; 0 switches a kind of variation off.
  ///
  /// Deviations are those of normal values, of which none beyond 2.5 deviations occur.
  package struct Settings: Codable, Hashable, Sendable {
    /// Probability of the mirror image, 0...1.
    package var mirror = 0.5
    /// Standard deviation of the turn about each axis, degrees. This and what follows, but for
    /// ventricles and cortex, is the most: each variation takes a random share of it.
    package var rotation = 3.0
    /// Standard deviation of the logarithm of the size along each axis.
    package var size = 0.05
    /// Standard deviation of each shear, as a tangent.
    package var shear = 0.02
    /// Standard deviation of the shift along each axis, mm.
    package var shift = 3.0
    /// Standard deviation of the broad deformation along each axis, mm, and the distance of its
    /// control points, mm.
    package var shape = 3.0
    package var shapeSpacing = 40.0
    /// The same of the deformation in detail.
    package var detail = 1.5
    package var detailSpacing = 20.0
    /// Share of the range of ventricle volumes that is used, 0...1; 1 is from half to three times
    /// the map's own.
    package var ventricles = 1.0
    /// Largest share of the cortex that gets thinner or thicker by a voxel, 0...1.
    package var cortex = 0.6

    package init() {}

    /// No variation at all.
    package static let none: Settings = {
      var settings = Settings()
      settings.mirror = 0
      settings.rotation = 0
      settings.size = 0
      settings.shear = 0
      settings.shift = 0
      settings.shape = 0
      settings.detail = 0
      settings.ventricles = 0
      settings.cortex = 0
      return settings
    }()

    /// The usual amounts times `strength`; probabilities and shares stay at most 1. 0 is none at all.
    package init(strength: Double) {
      self = Self().scaled(by: strength)
      if strength == 0 { mirror = 0 }
      ventricles = min(1, ventricles * strength)
      cortex = min(1, cortex * strength)
    }

    /// Affine and deformation times a factor.
    func scaled(by factor: Double) -> Settings {
      var result = self
      result.rotation *= factor
      result.size *= factor
      result.shear *= factor
      result.shift *= factor
      result.shape *= factor
      result.detail *= factor
      return result
    }
  }
}
