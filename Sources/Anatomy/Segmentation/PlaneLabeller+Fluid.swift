import Imaging
import Parallel

// MARK: - Borders

extension PlaneLabeller {
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
      of: fit.model, groupOf: kernel.likelihood.columnOf.map { Int($0) }, found: found)
    result.kernel.likelihood = LabelLikelihood(table, columnOf: columnOf)
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
    var placed = PlacedVoxels(count: width)
    var row = PosteriorKernel.Run(width: width, labels: labelCount)
    for y in stride(from: 0, to: grid.extents.y, by: Self.borderStep) {
      placement.place(x: 0..<width, y: y, z: z, voxels, from: y * width, into: &placed)
      kernel.compute(placed, posteriors: false, into: &row)
      for x in 0..<width {
        guard let label = places[Int(row.best[x])] else { continue }
        counts[label * IntensityScale.rows + Int(placed.rows[x])] += 1
      }
    }
    return counts
  }
}

// MARK: - Mixed voxels

extension PlaneLabeller {
  /// What comes of a plane if voxels of it that are mixed have other labels: those get what their posterior gave to
  /// labels that mixed voxels are taken for.
  func giving(
    _ changes: [MixedVoxels.Change], in plane: Result, of scan: Volume<Float>, mixed: MixedVoxels,
    levels: Int?
  ) -> Result {
    var result = plane
    let size = grid.extents.x * grid.extents.y
    var entries: [Int: [UInt32]] = [:]
    var voxel = PosteriorKernel.Run(width: 1, labels: labelCount)
    var merged = [Float](repeating: 0, count: labelCount)
    for change in changes {
      let (x, y, z) = (
        change.voxel % grid.extents.x, change.voxel % size / grid.extents.x, change.voxel / size
      )
      kernel.compute(
        placement.placed(scan, x: x..<x + 1, y: y, z: z), posteriors: true, into: &voxel)
      var posterior = voxel.posteriors
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
      merge(posterior[...], into: &merged)
      if keepsEntropy { result.entropies[change.voxel % size] = Self.entropy(merged) }
      if let levels {
        var own: [UInt32] = []
        Posteriors.append(merged, levels: levels, to: &own)
        entries[change.voxel % size] = own
      }
    }
    result.posteriors.replace(entries)
    return result
  }
}
