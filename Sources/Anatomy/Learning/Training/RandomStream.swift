import Networks

/// What random numbers are drawn for: uses of one seed that must not share numbers have streams of their own.
///
/// A stream has room for 2^40 numbers, of a scan, a map or a draw. Below all of them, from 0, lie those of weights'
/// first values and those that a drawn map or scan counts by itself.
///
/// Raw values are part of what a seed means and of checkpoints: none may change.
enum RandomStream: UInt64 {
  /// What the steps of a training of a prior or of an encoder draw: a run trains one of them.
  case steps = 1
  /// Variations of maps whose encodings are described.
  case variations
  /// Latents that anatomies are drawn from.
  case latents
  /// Labels of a drawn anatomy, by voxel.
  case labels
  /// Samples of q(z given a scan).
  case anatomies
  /// Scans that show what an encoder makes of them.
  case examples = 7
  /// Scans that contexts are learned from.
  case scans
  /// Tiles of these.
  case tiles

  /// Scans that an encoder in training is judged by: numbers of `latents`, but in a training, which draws none of those.
  static let judgedScans = latents
  /// Samples of q(z given these): the number of `labels`, but of another generator, Philox.
  static let judgedLatents = labels

  fileprivate func stream(_ number: UInt64) -> UInt64 { rawValue << 40 + number }
}

extension Philox {
  /// What a use draws for one of its numbers, below 2^40.
  init(seed: UInt64, _ use: RandomStream, number: UInt64 = 0) {
    self.init(seed: seed, stream: use.stream(number))
  }
}

extension CounterRandom {
  /// What a use draws for one of its numbers, below 2^40.
  init(seed: UInt64, _ use: RandomStream, number: UInt64 = 0) {
    self.init(seed: seed, stream: use.stream(number))
  }
}
