import Foundation
import Imaging
import Parallel

extension AffineRegistration {
  /// A scan at about 12, 6 and 4 mm.
  package typealias Levels = (coarse: ScanSamples, middle: ScanSamples, fine: ScanSamples)

  /// Where a scan may lie by what is seen of it at 12 mm, the most plausible place first: found from nothing but its
  /// voxels and the declared axes, which may be off by tens of degrees and any distance.
  ///
  /// Many poses are scored on a coarse grid, and the best few of different places are refined. `prior` is the group prior
  /// at 8 mm.
  static func starts(
    _ samples: ScanSamples, prior: GroupPrior, foreground: Foreground, kind: KindPrior
  ) -> [Affine] {
    let poses = startingPoses(foreground: foreground, centre: prior.grid.centre)
    let scores = Parallel.map(poses.count) { i in
      AffineRegistration(poses[i], samples: samples, prior: prior, kind: kind).score
    }
    let ranked = poses.indices.sorted { scores[$0] > scores[$1] }
    // The best poses, no two alike.
    var chosen: [Int] = []
    for i in ranked where chosen.count < 8 {
      let alike = chosen.contains { j in
        poses[i].columns == poses[j].columns
          && norm(poses[i](foreground.centre) - poses[j](foreground.centre)) < 20
      }
      if !alike { chosen.append(i) }
    }
    let refined = chosen.map { i in
      var fit = AffineRegistration(poses[i], samples: samples, prior: prior, kind: kind)
      fit.refine(samples: samples, prior: prior, freedom: .similarity, iterations: 12)
      return fit
    }
    return refined.sorted { $0.plausibility > $1.plausibility }.map(\.transform)
  }

  /// A start refined at 6 mm.
  static func look(
    from start: Affine, kind: KindPrior, levels: Levels, prior: GroupPrior
  ) -> AffineRegistration {
    var fit = AffineRegistration(start, samples: levels.middle, prior: prior, kind: kind)
    fit.refine(samples: levels.middle, prior: prior, freedom: .similarity, iterations: 10)
    fit.refine(samples: levels.middle, prior: prior, freedom: .affine, iterations: 15)
    return fit
  }

  /// The places that the starts lead to, each once: looked at from each start, ordered by their plausibility there, the
  /// highest first, and refined at 4 mm with all twelve parameters. `prior` is the group prior at 4 mm.
  static func settle(
    _ starts: [Affine], kind: KindPrior, levels: Levels, prior: GroupPrior
  ) -> [AffineRegistration] {
    let found = starts.map { look(from: $0, kind: kind, levels: levels, prior: prior) }
    return distinct(found, over: prior.grid).map { i in
      var fit = AffineRegistration(
        found[i].transform, samples: levels.fine, prior: prior, kind: kind)
      fit.refine(samples: levels.fine, prior: prior, freedom: .affine, iterations: 15)
      return fit
    }
  }

  /// Which of some fits are the most plausible one of their place, the most plausible of all first.
  static func distinct(_ fits: [AffineRegistration], over grid: Grid) -> [Int] {
    var chosen: [Int] = []
    for i in fits.indices.sorted(by: { fits[$0].plausibility > fits[$1].plausibility })
    where !chosen.contains(where: { fits[$0].difference(from: fits[i], over: grid) < samePlace }) {
      chosen.append(i)
    }
    return chosen
  }

  /// Farthest that a corner of a grid of the atlas lies from where another fit has it, in mm.
  func difference(from other: AffineRegistration, over grid: Grid) -> Double {
    let scan = transform.inverse * grid.affine
    return (other.transform * scan).largestDifference(from: grid.affine, over: grid.extents)
  }

  /// Fits that differ by less than this, in mm, have found the same place.
  private static let samePlace = 15.0

  /// The score with what is known of people's sizes.
  var plausibility: Double { score - sizePenalty }

  /// What is known of people's sizes, in nats a sample: logarithms of the three scales are normal, with mean
  /// 0.09 and deviation 0.12 (label maps and scans measured -0.07 to 0.25). Neighbouring samples say the
  /// same, so a sample's share of this prior is small, but it decides between a head and a shrunken head
  /// whose scalp passes for cortex: up to 0.019 nats for the latter were seen.
  var sizePenalty: Double {
    let size = transform.columnNorms
    let squares = (0..<3).reduce(0.0) { sum, axis in
      let deviation = (log(size[axis]) - 0.09) / 0.12
      return sum + deviation * deviation
    }
    return Self.scaleWeight * squares / 2
  }

  /// Nats a sample.
  private static let scaleWeight = 0.008

  /// How far the middle of what is looked for may lie from the foreground's centre at least, along right, anterior and
  /// superior, mm: bodies are much the same to the left and to the right, and most of what is not looked for, neck and
  /// shoulders, lies below.
  private static let leastReach = SIMD3(20.0, 30, 60)

  /// Rotations of up to 25 degrees about each axis, translations around the foreground's centre and as far as it
  /// reaches, and two sizes.
  static func startingPoses(foreground: Foreground, centre: SIMD3<Double>) -> [Affine] {
    let steps = (0..<3).map { foreground.steps(axis: $0, atLeast: leastReach[$0]) }
    var rotations: [Affine] = [.identity]
    for axis in 0..<3 {
      for degrees in [-25.0, 25.0] { rotations.append(rotation(axis: axis, degrees: degrees)) }
    }
    var poses: [Affine] = []
    for (i, rotation) in rotations.enumerated() {
      for scale in i == 0 ? [0.85, 1, 1.15] : [1] {
        for z in steps[2] {
          for y in steps[1] {
            for x in i == 0 ? steps[0] : [0] {
              let linear = (
                rotation.columns.0 * scale, rotation.columns.1 * scale, rotation.columns.2 * scale
              )
              let turned = Affine(columns: linear, translation: .zero)
              poses.append(
                Affine(
                  columns: linear,
                  translation: centre + SIMD3(x, y, z) - turned.linear(foreground.centre)))
            }
          }
        }
      }
    }
    return poses
  }

  /// A turn about a world axis.
  static func rotation(axis: Int, degrees: Double) -> Affine {
    let angle = degrees * .pi / 180
    let (c, s) = (cos(angle), sin(angle))
    let (i, j) = ((axis + 1) % 3, (axis + 2) % 3)
    var rows = Affine.identity.rows
    rows[i][i] = c
    rows[i][j] = -s
    rows[j][i] = s
    rows[j][j] = c
    return Affine(rows: rows)
  }
}
