import CKernels
import Foundation
import Imaging
import Parallel

/// Labels one plane of a scan at a time; planes are independent.
struct PlaneLabeller: Sendable {
  struct Result: Sendable {
    var best: [UInt8]
    var voxels: [Int]
    var soft: [Double]
    var posteriors: Posteriors.Plane
    /// Sum over the voxels that were looked at, nats.
    var entropy = (sum: 0.0, voxels: 0)
    /// nats, one a voxel where they were asked for.
    var entropies: [Float] = []

    func withoutLabels() -> Result {
      var result = self
      result.best = []
      return result
    }
  }

  /// Label priors; the posterior is the mean of what follows from each.
  private(set) var anatomies: [LocationPrior]
  /// From a position to where the label priors have it; nil where they have been displaced already.
  private var displacement: Displacement?
  private let labelCount: Int
  private let keepsEntropy: Bool
  private let fit: ScanFit
  private var grid: Grid
  private var likelihood: LabelLikelihood
  private var toAtlas: Affine
  private let perMM: SIMD3<Float>
  /// What each label is put out as: surroundings become background in stripped scans.
  private let output: [UInt8]
  private let isTarget: [Bool]

  /// `anatomies` are label priors on one grid, at least one.
  init(
    anatomies: [LocationPrior], fit: ScanFit, grid: Grid, isTarget: [Bool],
    usesIntensities: Bool, keepsEntropy: Bool = false
  ) {
    self.anatomies = anatomies
    self.keepsEntropy = keepsEntropy
    let prior = anatomies[0]
    labelCount = prior.table.count
    displacement = fit.displacement
    self.fit = fit
    self.grid = grid
    likelihood = LabelLikelihood(
      usesIntensities
        ? fit.model.table()
        : LikelihoodTable(groups: prior.table.groups.count, lanes: fit.model.lanes),
      columnOf: prior.table.groupOfLabel.map { UInt8($0) })
    toAtlas = (prior.grid.affine.inverse * fit.transform * grid.affine).scaled(
      by: prior.grid.spacing)
    perMM = SIMD3<Float>(1 / prior.grid.spacing)
    self.isTarget = isTarget
    output = isTarget.indices.map { fit.kind == .whole || isTarget[$0] ? UInt8($0) : 0 }
  }

  var kind: ScanKind { fit.kind }

  /// The same for another grid, whose world is reached from the atlas's by the identity.
  func onAtlas(_ grid: Grid) -> PlaneLabeller {
    var result = self
    result.grid = grid
    let atlas = anatomies[0].grid
    result.toAtlas = (atlas.affine.inverse * grid.affine).scaled(by: atlas.spacing)
    return result
  }

  /// The same under one of its label priors alone.
  func under(anatomy: Int) -> PlaneLabeller {
    var result = self
    result.anatomies = [anatomies[anatomy]]
    return result
  }

  /// The same under label priors that lie where the affine alone brings the atlas.
  func under(still anatomies: [LocationPrior]) -> PlaneLabeller {
    var result = self
    (result.anatomies, result.displacement) = (anatomies, nil)
    return result
  }

  /// The same with fluid ending at its borders, which the voxels that it would have else tell.
  func bordered(by borders: FluidBorders, on scan: Volume<Float>) -> PlaneLabeller {
    let labels = borders.labels
    let (plane, step) = (grid.extents.x * grid.extents.y, Self.borderStep)
    let counts = scan.voxels.withUnsafeBufferPointer { source in
      nonisolated(unsafe) let voxels = source
      return Parallel.map((grid.extents.z + step - 1) / step) { i in
        let z = i * step
        return histogram(
          of: labels, plane: z,
          voxels: UnsafeBufferPointer(rebasing: voxels[z * plane..<(z + 1) * plane]))
      }
    }
    let rows = IntensityScale.rows
    let found = labels.indices.map { label in
      (0..<rows).map { row in counts.reduce(0) { $0 + $1[label * rows + row] } }
    }
    var result = self
    let (table, columnOf) = borders.table(
      of: fit.model, groupOf: likelihood.columnOf.map { Int($0) }, found: found)
    result.likelihood = LabelLikelihood(table, columnOf: columnOf)
    return result
  }

  /// Planes and rows from one that tells of fluid's borders to the next.
  private static let borderStep = 3

  /// How many voxels of each row of intensity some labels have in a plane, labels x rows.
  private func histogram(
    of labels: [Int], plane z: Int, voxels: UnsafeBufferPointer<Float>
  ) -> [Int] {
    let width = grid.extents.x
    var counts = [Int](repeating: 0, count: labels.count * IntensityScale.rows)
    var places = [Int?](repeating: nil, count: labelCount)
    for (i, label) in labels.enumerated() { places[label] = i }
    var positions = [Float](repeating: 0, count: 3 * width)
    var rows = [UInt16](repeating: 0, count: width)
    var best = [UInt8](repeating: 0, count: width)
    var posteriors = [Float](repeating: 0, count: width * labelCount)
    var sums = [Float](repeating: 0, count: labelCount)
    for y in stride(from: 0, to: grid.extents.y, by: Self.borderStep) {
      place(y, z, voxels, &positions, &rows)
      compute(positions, rows, &best, from: 0, keeping: .none, &posteriors, &sums)
      for x in 0..<width {
        guard let label = places[Int(best[x])] else { continue }
        counts[label * IntensityScale.rows + Int(rows[x])] += 1
      }
    }
    return counts
  }

  /// Where a row of voxels lies in the atlas, and its rows of the likelihood table.
  private func place(
    _ y: Int, _ z: Int, _ voxels: UnsafeBufferPointer<Float>, _ positions: inout [Float],
    _ rows: inout [UInt16]
  ) {
    place(x: 0..<rows.count, y, z, &positions) { x, q in
      let value = voxels[y * rows.count + x]
      rows[x] = row(value, at: q)
    }
  }

  /// The same for a run of voxels of a volume on this labeller's grid.
  private func placed(
    _ scan: Volume<Float>, x: Range<Int>, _ y: Int, _ z: Int
  ) -> (positions: [Float], rows: [UInt16]) {
    let first = grid.index(x.lowerBound, y, z)
    var positions = [Float](repeating: 0, count: 3 * x.count)
    var rows = [UInt16](repeating: 0, count: x.count)
    scan.voxels.withUnsafeBufferPointer { voxels in
      place(x: x, y, z, &positions) { i, q in rows[i] = row(voxels[first + i], at: q) }
    }
    return (positions, rows)
  }

  /// The row of the likelihood table of an intensity at a position in mm along the atlas's axes.
  private func row(_ value: Float, at q: SIMD3<Float>) -> UInt16 {
    value == 0 ? IntensityScale.zero : fit.model.scale.row(value * exp(-fit.bias.logarithm(at: q)))
  }

  /// Where voxels of a row lie in the atlas; `body` is told of each, and where it lies undisplaced in mm.
  private func place(
    x: Range<Int>, _ y: Int, _ z: Int, _ positions: inout [Float],
    _ body: (_ x: Int, _ q: SIMD3<Float>) -> Void
  ) {
    let start = toAtlas(SIMD3(Double(x.lowerBound), Double(y), Double(z)))
    func place(_ moved: (SIMD3<Float>) -> SIMD3<Float>) {
      for i in 0..<x.count {
        let q = SIMD3<Float>(start + toAtlas.columns.0 * Double(i))
        let p = moved(q) * perMM
        positions[3 * i] = p.x
        positions[3 * i + 1] = p.y
        positions[3 * i + 2] = p.z
        body(i, q)
      }
    }
    guard let displacement else { return place { $0 } }
    displacement.reading { at in
      place { q in
        let u = at(q)
        return q + SIMD3(u.x, u.y, u.z)
      }
    }
  }

  /// Posteriors of a run of voxels of `scan`, which lies on this labeller's grid, voxels x labels.
  func posteriors(
    of scan: Volume<Float>, x: Range<Int>, y: Int, z: Int, into posteriors: inout [Float]
  ) {
    let (positions, rows) = placed(scan, x: x, y, z)
    var best = [UInt8](repeating: 0, count: x.count)
    var sums = [Float](repeating: 0, count: labelCount)
    compute(positions, rows, &best, from: 0, keeping: .all, &posteriors, &sums)
  }

  /// What comes of a plane if voxels of it that are mixed have other labels: those get what their posterior gave to
  /// labels that mixed voxels are taken for.
  func giving(
    _ changes: [MixedVoxels.Change], in plane: Result, of scan: Volume<Float>, mixed: MixedVoxels,
    levels: Int?
  ) -> Result {
    var result = plane
    let size = grid.extents.x * grid.extents.y
    var entries: [Int: [UInt32]] = [:]
    var posterior = [Float](repeating: 0, count: labelCount)
    var merged = posterior
    for change in changes {
      let (x, y, z) = (
        change.voxel % grid.extents.x, change.voxel % size / grid.extents.x, change.voxel / size
      )
      posteriors(of: scan, x: x..<x + 1, y: y, z: z, into: &posterior)
      var best = 0
      for k in posterior.indices where posterior[k] > posterior[best] { best = k }
      result.voxels[Int(output[best])] -= 1
      result.voxels[Int(change.label)] += 1
      for k in posterior.indices where mixed.isBetween(k) {
        result.soft[Int(output[k])] -= Double(posterior[k])
        result.soft[Int(change.label)] += Double(posterior[k])
        posterior[Int(change.label)] += posterior[k]
        posterior[k] = 0
      }
      if keepsEntropy { result.entropies[change.voxel % size] = Self.entropy(posterior[...]) }
      if let levels {
        var own: [UInt32] = []
        merge(posterior[...], into: &merged)
        Posteriors.append(merged, levels: levels, to: &own)
        entries[change.voxel % size] = own
      }
    }
    result.posteriors.replace(entries)
    return result
  }

  /// Probabilities of the labels that are put out.
  private func merge(_ posterior: ArraySlice<Float>, into merged: inout [Float]) {
    for k in merged.indices { merged[k] = 0 }
    for (k, value) in posterior.enumerated() { merged[Int(output[k])] += value }
  }

  /// Probabilities of a run of voxels, of labels that are possible.
  struct SparseRow {
    /// Number of labels of each voxel.
    fileprivate(set) var counts: [UInt8]
    /// Labels of the voxels, one voxel after another, ascending.
    fileprivate(set) var labels: [UInt8]
    /// Their probabilities.
    var values: [Float]

    /// For up to `width` voxels.
    init(width: Int, labels count: Int) {
      counts = [UInt8](repeating: 0, count: width)
      labels = [UInt8](repeating: 0, count: width * count)
      values = [Float](repeating: 0, count: width * count)
    }
  }

  /// Probabilities below are no more than the chance of any label anywhere.
  private static let least: Float = 1e-5

  /// The label prior of a run of voxels under the first anatomy.
  func priors(x: Range<Int>, y: Int, z: Int, into row: inout SparseRow) {
    var positions = [Float](repeating: 0, count: 3 * x.count)
    place(x: x, y, z, &positions) { _, _ in }
    sparse(positions, nil, x.count, anatomy: 0, into: &row)
  }

  /// The posterior of a run of voxels of `scan`, which lies on this labeller's grid, under one anatomy.
  func posteriors(
    of scan: Volume<Float>, x: Range<Int>, y: Int, z: Int, anatomy: Int, into row: inout SparseRow
  ) {
    let (positions, rows) = placed(scan, x: x, y, z)
    sparse(positions, rows, x.count, anatomy: anatomy, into: &row)
  }

  private func sparse(
    _ positions: [Float], _ rows: [UInt16]?, _ count: Int, anatomy: Int, into row: inout SparseRow
  ) {
    anatomies[anatomy].withKernelPrior { prior in
      likelihood.withKernelLikelihood { likelihood in
        func run(_ rows: UnsafePointer<UInt16>?) {
          _ = segpipe_sparse_posterior(
            prior, positions, rows, count, likelihood, Self.paddingAlpha, Self.least, &row.counts,
            &row.labels, &row.values)
        }
        guard let rows else { return run(nil) }
        rows.withUnsafeBufferPointer { run($0.baseAddress) }
      }
    }
  }

  func run(plane z: Int, voxels: UnsafeBufferPointer<Float>, levels: Int?) -> Result {
    let count = labelCount
    let width = grid.extents.x
    var positions = [Float](repeating: 0, count: 3 * width)
    var rows = [UInt16](repeating: 0, count: width)
    var best = [UInt8](repeating: 0, count: voxels.count)
    var posteriors = [Float](repeating: 0, count: width * count)
    var sums = [Float](repeating: 0, count: count)
    var result = Result(
      best: [], voxels: [Int](repeating: 0, count: count),
      soft: [Double](repeating: 0, count: count),
      posteriors: Posteriors.Plane())
    for y in 0..<grid.extents.y {
      place(y, z, voxels, &positions, &rows)
      compute(
        positions, rows, &best, from: y * width,
        keeping: levels != nil || keepsEntropy ? .all : .none, &posteriors, &sums)
      for k in 0..<count {
        result.soft[Int(output[k])] += Double(sums[k])
        sums[k] = 0
      }
      if z % Self.entropyStep == 0, y % Self.entropyStep == 0 {
        addEntropy(positions, rows, best[(y * width)...].prefix(width), to: &result)
      }
      if keepsEntropy {
        for x in 0..<width {
          result.entropies.append(Self.entropy(posteriors[x * count..<(x + 1) * count]))
        }
      }
      collect(posteriors, &best, row: y, levels: levels, into: &result)
    }
    result.best = best
    return result
  }

  /// Rows and planes from one whose entropy is looked at to the next.
  private static let entropyStep = 4

  /// Adds the posterior's entropy where a row's most probable label is a structure of interest. The posterior
  /// is computed once more, so that what else comes of the row does not depend on it.
  private func addEntropy(
    _ positions: [Float], _ rows: [UInt16], _ best: ArraySlice<UInt8>, to result: inout Result
  ) {
    let places = best.indices.filter { isTarget[Int(best[$0])] }.map { $0 - best.startIndex }
    guard !places.isEmpty else { return }
    var posteriors = [Float](repeating: 0, count: places.count * labelCount)
    var (labels, sums) = (
      [UInt8](repeating: 0, count: places.count), [Float](repeating: 0, count: labelCount)
    )
    compute(
      places.flatMap { positions[3 * $0..<3 * $0 + 3] }, places.map { rows[$0] }, &labels,
      from: 0, keeping: .all, &posteriors, &sums)
    result.entropy.sum += Double(Self.entropy(posteriors[...]))
    result.entropy.voxels += places.count
  }

  /// -sum of p log p, nats.
  private static func entropy(_ probabilities: ArraySlice<Float>) -> Float {
    var entropy: Float = 0
    for p in probabilities where p > 1e-6 { entropy -= p * log(p) }
    return entropy
  }

  /// Whether posteriors are wanted, or labels and sums alone.
  private enum Kept { case none, all }

  /// The posterior of a row of voxels, the mean over all anatomies: `positions` are voxels of the atlas, three
  /// a voxel, `rows` those of the likelihood table. `best` gets the most probable labels from index `first` on,
  /// `posteriors`, where they are wanted, probabilities, voxels x labels, `sums` the sum over voxels, one a
  /// label.
  private func compute(
    _ positions: [Float], _ rows: [UInt16], _ best: inout [UInt8], from first: Int,
    keeping kept: Kept, _ posteriors: inout [Float], _ sums: inout [Float]
  ) {
    let (width, isOne) = (rows.count, anatomies.count == 1)
    let share = 1 / Float(anatomies.count)
    var one = [Float](repeating: 0, count: isOne ? 0 : width * labelCount)
    if !isOne { for i in posteriors.indices { posteriors[i] = 0 } }
    for anatomy in anatomies {
      anatomy.withKernelPrior { prior in
        best.withUnsafeMutableBufferPointer { best in
          func run(_ target: UnsafeMutablePointer<Float>?) {
            likelihood.withKernelLikelihood {
              segpipe_label_posterior(
                prior, positions, rows, width, $0, Self.alpha, Self.paddingAlpha,
                best.baseAddress.map { $0 + first }, target, &sums)
            }
          }
          if !isOne {
            one.withUnsafeMutableBufferPointer { run($0.baseAddress) }
          } else {
            // Labels and sums are the same whether posteriors are wanted or not.
            if kept == .all {
              posteriors.withUnsafeMutableBufferPointer { run($0.baseAddress) }
              for k in sums.indices { sums[k] = 0 }
            }
            run(nil)
          }
        }
      }
      for i in one.indices { posteriors[i] += share * one[i] }
    }
    guard !isOne else { return }
    for k in sums.indices { sums[k] *= share }
    for x in 0..<width {
      var most = 0
      for k in 1..<labelCount
      where posteriors[x * labelCount + k] > posteriors[x * labelCount + most] {
        most = k
      }
      best[first + x] = UInt8(most)
    }
  }

  /// Chance of any label anywhere.
  private static let alpha: Float = 1e-6
  /// Chance of background at voxels that are exactly zero: padding lies where it was put.
  private static let paddingAlpha: Float = 0.05

  private func collect(
    _ posteriors: [Float], _ best: inout [UInt8], row y: Int, levels: Int?,
    into result: inout Result
  ) {
    let count = labelCount
    let width = grid.extents.x
    var merged = [Float](repeating: 0, count: count)
    for x in 0..<width {
      let label = Int(output[Int(best[y * width + x])])
      best[y * width + x] = UInt8(label)
      result.voxels[label] += 1
      guard let levels else { continue }
      merge(posteriors[x * count..<(x + 1) * count], into: &merged)
      result.posteriors.append(merged, levels: levels)
    }
  }
}
