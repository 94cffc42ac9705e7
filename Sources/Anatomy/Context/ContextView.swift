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

  /// `labeller` is one for the grid of `scan`.
  init(_ scan: Volume<Float>, by labeller: PlaneLabeller, merge: SideMerge) {
    self.scan = scan
    self.labeller = labeller
    channelOf = merge.channels(labeller.kind)
  }

  /// Posteriors `[M, D, H, W]` of a box of voxels that begins at `lower`; zero beyond the grid.
  func fill(_ q: Tensor, _ shape: ActivationShape, from lower: SIMD3<Int>) {
    let box = shape.extents
    let labels = channelOf.count
    let extents = scan.grid.extents
    let (first, last) = (max(0, lower.x), min(extents.x, lower.x + box.width))
    q.fill(with: 0)
    guard first < last else { return }
    Parallel.forEach(box.depth) { plane in
      let z = lower.z + plane
      guard (0..<extents.z).contains(z) else { return }
      var posteriors = [Float](repeating: 0, count: (last - first) * labels)
      for row in 0..<box.height {
        let y = lower.y + row
        guard (0..<extents.y).contains(y) else { continue }
        labeller.posteriors(of: scan, x: first..<last, y: y, z: z, into: &posteriors)
        let start = (plane * box.height + row) * box.width + first - lower.x
        posteriors.withUnsafeBufferPointer { posteriors in
          for label in 0..<labels {
            let channel = channelOf[label]
            let out = q.pointer + (channel / 16 * box.count + start) * 16 + channel % 16
            for x in 0..<last - first { out[x * 16] += posteriors[x * labels + label] }
          }
        }
      }
    }
  }
}
