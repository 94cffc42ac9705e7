/// What of a decoded latent makes labels.
package enum DecodedParts: Equatable, Sendable {
  /// Displacement and residual logits.
  case all
  /// The residual logits alone, times a weight, brought to where the prior lies: for a reader that finds displacements
  /// itself.
  case logits(weight: Float)
}
