import Foundation
import Imaging

/// One reason to trust or to doubt a segmentation.
package struct QualityCheck: Equatable, Sendable {
  package enum Verdict: String, Comparable, Sendable {
    case pass = "PASS"
    /// Worth a look.
    case warn = "WARN"
    /// Most probably wrong.
    case fail = "FAIL"

    package static func < (a: Verdict, b: Verdict) -> Bool { a.rank < b.rank }

    private var rank: Int {
      switch self {
      case .pass: 0
      case .warn: 1
      case .fail: 2
      }
    }
  }

  /// In kebab case, such as `field-of-view`.
  package let name: String
  package let verdict: Verdict
  /// What was measured, in the unit that `message` names.
  package let value: Double
  /// What was found and what was expected.
  package let message: String
}

extension [QualityCheck] {
  /// The worst of them.
  package var verdict: QualityCheck.Verdict { map(\.verdict).max() ?? .pass }
}

/// Limits are taken from nine sound scans of heads (T1 stripped, three; T1 with surroundings, three; FLAIR and
/// contrast-enhanced T1, stripped; T2 with surroundings), from poorer versions of two of them (noise of 15 and
/// 30 % of the 90th percentile, slices of 5 mm, voxels twice as large), and from 27 made unusable: cut in half
/// along each axis (12, of four scans), half set to zero (4), and of two scans each slices in random order, noise
/// as strong as the 90th percentile, noise alone, voxels declared 1.7 times as large, and two heads side by side;
/// and a sphere. No sound or poorer one fails. Of the unusable ones 24 fail, and a sphere and two brains of which
/// half is zero get WARN.
extension QualityCheck {
  /// Every check of one segmentation.
  package static func all(_ result: Segmentation, atlas: Atlas) -> [QualityCheck] {
    let isOfInterest = atlas.prior.table.isOfInterest
    let structures = zip(atlas.prior.table.labels, result.volumes).enumerated().compactMap {
      place, pair -> Structure? in
      guard isOfInterest[place] else { return nil }
      return Structure(
        label: pair.0, found: pair.1.soft, taken: pair.1.hard, expected: atlas.volumes[place],
        partner: atlas.prior.table.partnerOfLabel[place].map { result.volumes[$0].soft },
        isEverywhere: atlas.volumes[place].count == atlas.origin.maps)
    }
    let scope = Scope(of: atlas)
    return [
      information(result.quality.information, scope.share),
      tissue(result.quality.tissueInformation, scope.share),
      result.quality.gainOfHalfTurn.flatMap { orientation($0, scope) },
      fieldOfView(result.quality.outsideView), border(result.labels, atlas.prior.table),
      entropy(result.quality.meanEntropy),
      volumes(structures), totalVolume(structures), asymmetry(structures),
    ].compactMap { $0 }
  }

  /// How far limits that were taken from heads hold for an atlas.
  private struct Scope {
    /// How much of what a head's atlas can explain of intensities this one can, at most 1.
    let share: Double
    /// Whether half a turn can be told from none.
    let tellsHalfTurns: Bool
    /// What the header of a scan that seems to be turned deserves.
    let turned: Verdict

    init(of atlas: Atlas) {
      let table = atlas.prior.table
      guard CentroidAlignment.standardTargets(for: table) == nil else {
        (share, tellsHalfTurns, turned) = (1, true, .fail)
        return
      }
      let isOfInterest = table.isOfInterest
      let isTarget = table.groups.indices.map { group in
        isOfInterest.indices.contains { table.groupOfLabel[$0] == group && isOfInterest[$0] }
      }
      let factor = max(1, Int((8 / atlas.prior.grid.spacing.max()).rounded()))
      let known = PriorInformation(GroupPrior(atlas.prior, factor: factor), isTarget: isTarget)
      share = min(1, known.ofPlace)
      (tellsHalfTurns, turned) = (known.ofHalfTurn > Self.leastOfHalfTurn, .warn)
    }

    /// Nats a block; between atlases of a single organ and those of several that are not alike.
    private static let leastOfHalfTurn = 0.3
  }

  private struct Structure {
    let label: Label
    /// Sum of its probabilities, mm3.
    let found: Double
    /// Volume of the voxels for which it is the most probable label, mm3.
    let taken: Double
    let expected: VolumeStatistics
    /// Volume of the other side, mm3.
    let partner: Double?
    /// Whether every label map of the atlas holds it.
    let isEverywhere: Bool
  }

  /// How much the anatomy explains of the intensities. Sound scans have 0.64 to 1.06 nats, 0.35 and 0.92
  /// with noise of 30 %; noise alone 0.00, strong noise -0.01 and 0.12, slices in random order 0.11 and 0.21.
  private static func information(_ value: Double, _ share: Double) -> QualityCheck {
    let limits = Limits.atLeast(0.4 * share, failBelow: 0.25 * share)
    return QualityCheck(
      name: "information", verdict: limits.verdict(value), value: value,
      message: "the atlas explains \(text(value)) nats a sample of the intensities, "
        + "expected \(limits.text)")
  }

  /// The same within what is not exactly zero. Sound scans have 0.31 (FLAIR) to 0.76 nats; two heads side by
  /// side 0.00 and 0.06, half a head set to zero 0.09 and 0.16.
  private static func tissue(_ value: Double, _ share: Double) -> QualityCheck {
    let limits = Limits.atLeast(0.2 * share, failBelow: 0.1 * share)
    return QualityCheck(
      name: "tissue-information", verdict: limits.verdict(value), value: value,
      message: "within what is not zero, the atlas explains \(text(value)) nats a sample, "
        + "expected \(limits.text)")
  }

  /// Whether the header seems to name an axis the wrong way round. Nine sound scans have -0.024 nats and
  /// less; with the front-back or up-down axis mirrored, 17 of 18 are above 0, and the other one has -0.012.
  private static func orientation(_ gain: Double, _ scope: Scope) -> QualityCheck? {
    guard scope.tellsHalfTurns else { return nil }
    let limits = Limits.atMost(-0.014, failAbove: 0)
    return QualityCheck(
      name: "orientation", verdict: min(limits.verdict(gain), scope.turned), value: gain,
      message: "after half a turn the atlas would explain \(text(gain)) nats a sample more, "
        + "expected less than \(Limits.number(limits.pass.upperBound)); above "
        + "\(Limits.number(limits.warn.upperBound)) the header names an axis the wrong way round")
  }

  /// Sound scans have 0 to 3 %, scans cut in half 32 to 56 %.
  private static func fieldOfView(_ share: Double) -> QualityCheck {
    let limits = Limits.atMost(0.05, failAbove: 0.25)
    return QualityCheck(
      name: "field-of-view", verdict: limits.verdict(share), value: share,
      message: "\(percent(share)) of the expected anatomy lies outside the field of view, "
        + "expected \(limits.percent)")
  }

  /// Structures that the edge of the field of view cuts: the area of their cut faces, as a share of the
  /// area that their whole volume would have as a cube's side. Sound scans have 0 to 0.02, a T2 scan whose
  /// edge cuts a temporal pole 0.51; scans cut in half 1.15 to 2.51.
  private static func border(_ labels: Volume<Int32>, _ table: LabelTable) -> QualityCheck {
    let isOfInterest = table.isOfInterest
    func isStructure(_ value: Int32) -> Bool {
      table.position(of: value).map { isOfInterest[$0] } ?? false
    }
    let (grid, e, s) = (labels.grid, labels.grid.extents, labels.grid.spacing)
    var area = 0.0
    for axis in 0..<3 {
      let (u, v) = ((axis + 1) % 3, (axis + 2) % 3)
      for edge in Set([0, e[axis] - 1]) {
        for b in 0..<e[v] {
          for a in 0..<e[u] {
            var place = SIMD3<Int>.zero
            (place[axis], place[u], place[v]) = (edge, a, b)
            let value = labels.voxels[grid.index(place.x, place.y, place.z)]
            if isStructure(value) { area += s[u] * s[v] }
          }
        }
      }
    }
    let voxels = labels.voxels.count { $0 != 0 && isStructure($0) }
    let side = pow(Double(voxels) * grid.voxelVolume, 2.0 / 3)
    let share = side > 0 ? area / side : 0
    let limits = Limits.atMost(0.1, failAbove: 0.6)
    return QualityCheck(
      name: "border-contact", verdict: limits.verdict(share), value: share,
      message: "structures meet the edge of the field of view over "
        + "\((area / 10).rounded() / 10) cm2, \(percent(share)) of their size, "
        + "expected \(limits.percent)")
  }

  /// How uncertain the labels are. Sound scans have 0.24 to 0.41 nats, 0.48 and 0.52 with noise of 30 %; noise
  /// alone 0.70 and 0.72, strong noise 0.69, slices in random order 0.70, a sphere 0.59.
  private static func entropy(_ value: Double) -> QualityCheck {
    let limits = Limits.atMost(0.5, failAbove: 0.65)
    return QualityCheck(
      name: "entropy", verdict: limits.verdict(value), value: value,
      message: "the labels are uncertain by \(text(value)) nats a voxel, expected \(limits.text)")
  }

  /// Mean volume below which a structure is mostly boundary, mm3.
  private static let smallest = 2000.0

  /// Structures outside the range of the atlas's label maps, widened by half at either end, by their voxels or by their
  /// probabilities. A single one below `smallest` is no reason to doubt the rest: stripping cuts off the optic chiasm.
  private static func volumes(_ structures: [Structure]) -> QualityCheck? {
    let known = structures.filter { $0.expected.count > 0 }
    guard !known.isEmpty else { return nil }
    let odd = known.compactMap { structure -> (structure: Structure, volume: Double)? in
      let volumes = [structure.found, structure.taken].sorted()
      if volumes[1] > 1.5 * structure.expected.most { return (structure, volumes[1]) }
      let isSmall = structure.isEverywhere && volumes[0] < 0.5 * structure.expected.least
      return isSmall ? (structure, volumes[0]) : nil
    }
    let share = Double(odd.count) / Double(known.count)
    let isFine = odd.count < 2 && !odd.contains { $0.structure.expected.mean >= smallest }
    let named = odd.prefix(5).map { structure, volume in
      "\(structure.label.name) \(millilitres(volume)) instead of "
        + "\(millilitres(structure.expected.least)) to \(millilitres(structure.expected.most))"
    }
    let more = odd.count > named.count ? ", and \(odd.count - named.count) more" : ""
    return QualityCheck(
      name: "volumes", verdict: isFine ? .pass : share > 0.4 ? .fail : .warn,
      value: Double(odd.count),
      message: odd.isEmpty
        ? "all \(known.count) structures have plausible volumes"
        : "\(odd.count) of \(known.count) structures have odd volumes: "
          + named.joined(separator: "; ") + more)
  }

  private static func totalVolume(_ structures: [Structure]) -> QualityCheck? {
    let expected = structures.reduce(0) { $0 + $1.expected.mean }
    guard expected > 0 else { return nil }
    let ratio = structures.reduce(0) { $0 + $1.found } / expected
    let limits = Limits(pass: 0.5...1.6, warn: 0.3...2.5)
    return QualityCheck(
      name: "total-volume", verdict: limits.verdict(ratio), value: ratio,
      message: "all structures together have \(percent(ratio)) of the atlas's mean volume, "
        + "expected \(limits.percent)")
  }

  /// Sum over pairs of the sides' difference, as a share of their sum.
  private static func asymmetry(_ structures: [Structure]) -> QualityCheck? {
    let pairs = structures.compactMap { one in one.partner.map { (one.found, $0) } }
    let sum = pairs.reduce(0) { $0 + $1.0 + $1.1 }
    guard sum > 0 else { return nil }
    let share = pairs.reduce(0) { $0 + abs($1.0 - $1.1) } / sum
    let limits = Limits.atMost(0.12, failAbove: 0.35)
    return QualityCheck(
      name: "asymmetry", verdict: limits.verdict(share), value: share,
      message:
        "left and right differ by \(percent(share)) of their volume, expected \(limits.percent)"
    )
  }

  private static func percent(_ share: Double) -> String {
    guard share.isFinite else { return "n/a" }
    return "\((share * 1000).rounded() / 10) %"
  }

  private static func text(_ value: Double) -> String {
    guard value.isFinite else { return "n/a" }
    return "\((value * 1000).rounded() / 1000)"
  }

  private static func millilitres(_ volume: Double) -> String {
    "\((volume / 100).rounded() / 10) ml"
  }
}
