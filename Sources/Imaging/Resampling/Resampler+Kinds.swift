extension Resampler where Scalar == Float {
  /// Linear interpolation; the mean over a target voxel that is larger than the source's.
  ///
  /// Voxels that are not-a-number are left out; where they have more than half of the weight, the
  /// result is not-a-number. `through` takes target world millimetres to source world millimetres.
  package static func linear(
    _ source: Volume<Float>, onto target: Grid, through: Affine = .identity, outside: Float = 0
  ) -> Resampler {
    Resampler(source, target, through: through, outside: outside) { point in
      var (sum, known, total) = (Float(0), Float(0), Float(0))
      let isInside = point.forEachWeight { value, weight in
        total += weight
        if value == value {
          sum += weight * value
          known += weight
        }
      }
      guard isInside else { return nil }
      guard known * 2 >= total, known > 0 else { return .nan }
      return known == 1 ? sum : sum / known
    }
  }
}

extension Resampler {
  /// The voxel nearest to each target voxel's centre. `through` as for `linear`.
  package static func nearest(
    _ source: Volume<Scalar>, onto target: Grid, through: Affine = .identity, outside: Scalar
  ) -> Resampler {
    Resampler(source, target, through: through, outside: outside) { point in
      guard let (base, fraction) = SampleMap.cell(point.centre, last: point.last) else {
        return nil
      }
      let x = base.x + (fraction.x >= 0.5 ? 1 : 0)
      let y = base.y + (fraction.y >= 0.5 ? 1 : 0)
      let z = base.z + (fraction.z >= 0.5 ? 1 : 0)
      return point.voxels[(z * point.extents.y + y) * point.extents.x + x]
    }
  }
}

extension Resampler where Scalar == Int32 {
  /// Labels by resampled probabilities: each label's map of ones and zeros is interpolated
  /// linearly, and the largest wins; of equals, the lower label. `through` as for `linear`.
  package static func labels(
    _ source: Volume<Int32>, onto target: Grid, through: Affine = .identity, outside: Int32 = 0
  ) -> Resampler {
    Resampler(source, target, through: through, outside: outside) { point in
      var vote = LabelVote()
      let isInside = point.forEachWeight { label, weight in vote.add(label, weight) }
      return isInside ? vote.winner : nil
    }
  }
}

/// Weights of the few labels around a point.
struct LabelVote {
  // Almost every point sees one label, and few see more than two: those need no array.
  private var first: (label: Int32, weight: Float)?
  private var others: [(label: Int32, weight: Float)] = []

  mutating func add(_ label: Int32, _ weight: Float) {
    guard let known = first else {
      first = (label, weight)
      return
    }
    if known.label == label {
      first = (label, known.weight + weight)
    } else if let place = others.firstIndex(where: { $0.label == label }) {
      others[place].weight += weight
    } else {
      others.append((label, weight))
    }
  }

  /// The label of most weight. Differences below rounding are ties; ties go to the lower label.
  var winner: Int32 {
    guard var best = first else { return 0 }
    for other in others {
      let difference = other.weight - best.weight
      if difference > 1e-5 || (abs(difference) <= 1e-5 && other.label < best.label) {
        best = other
      }
    }
    return best.label
  }
}
