import Foundation
import Imaging
import Networks
import Parallel

/// A scan drawn from a label map on the atlas grid, at half its resolution, and what a fit of its
/// intensities would find: what an encoder of scans learns from.
///
/// Every tissue group gets an intensity, T1-like, T2-like or any; then come partial volume, thick slices in
/// some, what a bias field's correction leaves, noise, and, in half of them, zeros outside the structures of
/// interest. The intensity model is estimated as it is on scans, from the location prior, though started
/// from the truth. Depends on the labels and the state of the random numbers alone.
struct SimulatedScan {
  private let prior: LocationPrior
  private let groups: GroupPrior
  private let grid: Grid
  private let groupOf: [Int]
  private let isTarget: [Bool]
  private let components: [Int]

  /// Streams of random numbers, one for each purpose.
  private enum Stream: UInt64 {
    case kind, tissues, texture, field, sample
  }

  init(_ prior: LocationPrior) {
    self.prior = prior
    groups = GroupPrior(prior, factor: 2)
    grid = groups.grid
    groupOf = prior.table.groupOfLabel
    let isTarget = prior.table.isOfInterest
    self.isTarget = isTarget
    let groupOf = groupOf
    components = prior.table.groups.indices.map { group in
      IntensityModel.components(
        isKnown: groupOf.indices.contains { groupOf[$0] == group && isTarget[$0] })
    }
  }

  /// Draws a scan of a label map: `prior.grid.count` positions in the table, larger numbers where
  /// nothing is known.
  func draw(_ labels: [UInt8], random: inout Philox) -> ScanObservation {
    let (volume, model) = drawing(labels, random: &random)
    return ScanObservation(volume, model: model, table: prior.table)
  }

  /// The same as intensities on the halved grid, not a number where nothing is known, and what is found
  /// of them.
  func drawing(
    _ labels: [UInt8], random: inout Philox
  ) -> (half: Volume<Float>, model: IntensityModel) {
    let seed = random.next()
    let kind = CounterRandom(seed: seed, stream: Stream.kind.rawValue)
    let (volume, truth) = intensities(labels, seed: seed, kind: kind)
    let scale = IntensityScale(volume.voxels) ?? IntensityScale(low: 0, high: 1)
    let rows = volume.voxels.map { $0 == $0 ? scale.row($0) : IntensityScale.missing }
    let model = fit(rows, truth, scale: scale, seed: seed, rounds: Int(kind.bits(20) % 4))
    return (volume, model)
  }

  /// Labels that fill a block of 2x2x2 voxels, most of them of `group`.
  private struct Block {
    var mean: Float = 0
    var deviation: Float = 0
    var group: UInt8 = 0
    var targets = 0
    var unknown = 0
  }

  /// Intensities over the halved grid, and the group that most of each voxel belongs to.
  private func intensities(
    _ labels: [UInt8], seed: UInt64, kind: CounterRandom
  ) -> (volume: Volume<Float>, truth: [UInt8]) {
    let contrasts: [SyntheticContrast] = [.random, .random, .t1, .t1, .t2]
    let tissues = TissueIntensities(
      contrasts[Int(kind.bits(0) % 5)], table: prior.table,
      CounterRandom(seed: seed, stream: Stream.tissues.rawValue))
    let stripped = kind.uniform(1) < 0.5
    let texture = Float(0.5 + kind.uniform(2))
    let noise = Float(0.005 + 0.04 * kind.uniform(3) * kind.uniform(4))
    let field = Displacement.random(
      over: grid, spacing: 40, deviation: 0.05 * kind.uniform(5),
      CounterRandom(seed: seed, stream: Stream.field.rawValue))
    let draws = CounterRandom(seed: seed, stream: Stream.texture.rawValue)
    let (width, plane) = (grid.extents.x, grid.extents.x * grid.extents.y)
    let spacing = SIMD3<Float>(grid.spacing)
    var values = [Float](repeating: .nan, count: grid.count)
    var truth = [UInt8](repeating: 255, count: grid.count)
    values.withUnsafeMutableBufferPointer { values in
      truth.withUnsafeMutableBufferPointer { truth in
        nonisolated(unsafe) let (out, truth) = (values, truth)
        Parallel.forEach(grid.extents.z) { z in
          for voxel in z * plane..<(z + 1) * plane {
            let (x, y) = (voxel % width, voxel / width % grid.extents.y)
            let block = block(labels, x, y, z, tissues)
            if block.unknown > 4 { continue }
            truth[voxel] = block.group
            if stripped && block.targets < 4 {
              out[voxel] = 0
              continue
            }
            let at = SIMD3(Float(x), Float(y), Float(z)) * spacing
            let (own, added) = draws.normals(voxel)
            let value =
              (block.mean + 0.5 * texture * block.deviation * Float(own)) * exp(field.at(at).x)
              + noise * Float(added)
            // Exact zeros are padding, and nothing else.
            out[voxel] = max(value, 1e-3)
          }
        }
      }
    }
    if kind.uniform(6) < 0.3 {
      thicken(&values, axis: Int(kind.bits(7) % 3), by: 2 + Int(kind.bits(8) % 2))
    }
    return (Volume(grid: grid, voxels: values), truth)
  }

  private func block(
    _ labels: [UInt8], _ x: Int, _ y: Int, _ z: Int, _ tissues: TissueIntensities
  ) -> Block {
    var block = Block()
    var counts: (groups: SIMD8<UInt8>, known: Int) = (SIMD8(repeating: 255), 0)
    for corner in 0..<8 {
      let voxel = prior.grid.index(
        2 * x + corner & 1, 2 * y + corner >> 1 & 1, 2 * z + corner >> 2)
      let label = Int(labels[voxel])
      guard label < groupOf.count else {
        block.unknown += 1
        continue
      }
      let group = groupOf[label]
      counts.groups[counts.known] = UInt8(group)
      counts.known += 1
      block.mean += tissues.means[group]
      block.deviation += tissues.deviations[group]
      if isTarget[label] { block.targets += 1 }
    }
    guard counts.known > 0 else { return block }
    block.mean /= Float(counts.known)
    block.deviation /= Float(counts.known)
    var most = 0
    for i in 0..<counts.known {
      let same = (0..<counts.known).count { counts.groups[$0] == counts.groups[i] }
      if same > most { (most, block.group) = (same, counts.groups[i]) }
    }
    return block
  }

  /// Gives runs of voxels along an axis their mean, zeros and missing ones excepted.
  private func thicken(_ values: inout [Float], axis: Int, by size: Int) {
    let extents = grid.extents
    let step = [1, extents.x, extents.x * extents.y][axis]
    for voxel in values.indices where voxel / step % extents[axis] % size == 0 {
      let run = stride(from: voxel, to: voxel + step * size, by: step).prefix(
        extents[axis] - voxel / step % extents[axis])
      let used = run.filter { values[$0] > 0 }
      let mean = used.reduce(0) { $0 + values[$1] } / Float(max(1, used.count))
      for other in used { values[other] = mean }
    }
  }

  /// The intensity model that expectation maximisation finds from the truth in so many rounds.
  private func fit(
    _ rows: [UInt16], _ truth: [UInt8], scale: IntensityScale, seed: UInt64, rounds: Int
  ) -> IntensityModel {
    var histogram = GroupHistogram(lanes: groups.lanes)
    for voxel in rows.indices where truth[voxel] != 255 {
      histogram[Int(rows[voxel]), Int(truth[voxel])] += 1
    }
    var model = IntensityModel(histogram: histogram, components: components, scale: scale)
    guard rounds > 0 else { return model }
    // A third of the voxels tells enough.
    let first = Int(CounterRandom(seed: seed, stream: Stream.sample.rawValue).bits(0) % 3)
    var (positions, sample): ([Float], [UInt16]) = ([], [])
    for voxel in stride(from: first, to: rows.count, by: 3) where truth[voxel] != 255 {
      let (x, rest) = (voxel % grid.extents.x, voxel / grid.extents.x)
      positions.append(Float(x + 1))
      positions.append(Float(rest % grid.extents.y + 1))
      positions.append(Float(rest / grid.extents.y + 1))
      sample.append(rows[voxel])
    }
    for _ in 0..<rounds {
      model.update(
        histogram: groups.histogram(positions: positions, rows: sample, table: model.table())
          .counts)
    }
    return model
  }
}
