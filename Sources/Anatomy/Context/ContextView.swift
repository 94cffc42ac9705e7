import Imaging
import Networks
import Parallel

/// A scan as a `ContextNetwork` sees it: posteriors of merged labels, found voxel by voxel on the atlas grid where
/// the affine has brought the scan.
struct ContextView: Sendable {
  /// Finds posteriors at the voxels of `scan`.
  private let labeller: PlaneLabeller
  /// On the atlas grid; not a number where nothing is known.
  private let scan: Volume<Float>
  /// For each label, its place among the merged ones.
  let channelOf: [Int]

  /// Along the last axis.
  var planes: Int { scan.grid.extents.z }

  /// `labeller` is one for the grid of `scan`.
  init(_ scan: Volume<Float>, by labeller: PlaneLabeller, merge: SideMerge) {
    self.scan = scan
    self.labeller = labeller
    channelOf = merge.channels(labeller.kind)
  }

  /// Posteriors `[M, D, H, W]` of a box of voxels that begins at `lower`; zero beyond the grid. With `spans`, of
  /// those voxels of the box alone; others are left in any state.
  func fill(
    _ q: Tensor, _ shape: ActivationShape, from lower: SIMD3<Int>, over spans: RowSpans? = nil
  ) {
    let box = shape.extents
    let extents = scan.grid.extents
    let share = 1 / Float(labeller.anatomies.count)
    Parallel.forEach(box.depth) { plane in
      let z = lower.z + plane
      var posteriors = PosteriorKernel.SparseRun(width: box.width, labels: channelOf.count)
      for row in 0..<box.height {
        let wanted = spans?.range(plane: plane, row: row) ?? 0..<box.width
        guard !wanted.isEmpty else { continue }
        let start = (plane * box.height + row) * box.width + wanted.lowerBound
        for block in 0..<shape.paddedChannels / 16 {
          (q.pointer + (block * box.count + start) * 16).update(
            repeating: 0, count: wanted.count * 16)
        }
        let y = lower.y + row
        let known = (lower.x + wanted.lowerBound..<lower.x + wanted.upperBound)
          .clamped(to: 0..<extents.x)
        guard (0..<extents.z).contains(z), (0..<extents.y).contains(y), !known.isEmpty
        else { continue }
        let first = start + known.lowerBound - lower.x - wanted.lowerBound
        for anatomy in labeller.anatomies.indices {
          labeller.posteriors(of: scan, x: known, y: y, z: z, anatomy: anatomy, into: &posteriors)
          var entry = 0
          for x in 0..<known.count {
            for i in entry..<entry + Int(posteriors.counts[x]) {
              let channel = channelOf[Int(posteriors.labels[i])]
              q.pointer[shape.index(channel: channel, voxel: first + x)] +=
                share * posteriors.values[i]
            }
            entry += Int(posteriors.counts[x])
          }
        }
      }
    }
  }
}
