import CKernels
import Imaging
import Networks
import Parallel

/// Changes label priors by what a scan's posteriors look like around each voxel.
///
/// Works on slabs of the atlas grid around the structures of interest; elsewhere priors stay as they are.
struct ContextReader: Sendable {
  private let file: ContextFile
  private let merge: SideMerge
  private let slabs: [Slab]

  /// Planes of the atlas grid, and the part of them that is looked at.
  private struct Slab: Sendable {
    let planes: Range<Int>
    let box: PlaneBox

    /// With the planes that are within reach.
    var extents: Extents {
      Extents((planes.count + 1) / 2 * 2 + 2 * ContextShape.reach, box.y.count, box.x.count)
    }

    /// Where `extents` begin.
    var lower: SIMD3<Int> {
      SIMD3(box.x.lowerBound, box.y.lowerBound, planes.lowerBound - ContextShape.reach)
    }
  }

  /// Planes of a slab: more take more memory, fewer are computed more often.
  private static let planes = 32
  /// Probability of structures of interest from which on a voxel is looked at, in 1/255, and voxels around these.
  private static let leastOfInterest = 64
  private static let margin = 4

  /// - Throws: `AnatomyError.otherAtlas` for a file that was trained for other labels.
  init(_ file: ContextFile, atlas: Atlas) throws {
    try file.check(atlas)
    self.file = file
    merge = SideMerge(atlas.prior.table)
    slabs = Self.slabs(atlas.prior)
  }

  private static func slabs(_ prior: LocationPrior) -> [Slab] {
    let extents = prior.grid.extents
    let boxes = prior.planeBoxes(
      around: prior.table.labels.map { Segmenter.isOfInterest($0) }, least: leastOfInterest)
    let found = boxes.indices.filter { boxes[$0] != nil }
    guard let first = found.first, let last = found.last else { return [] }
    // Of even extents, which may go beyond the grid.
    func widened(_ range: Range<Int>, _ most: Int) -> Range<Int> {
      let (lower, upper) = (
        max(0, range.lowerBound - margin), min(most, range.upperBound + margin)
      )
      return lower..<upper + (upper - lower) % 2
    }
    let (start, end) = (max(0, first - margin), min(extents.z, last + 1 + margin))
    return stride(from: start, to: end, by: planes).compactMap { lower in
      let range = lower..<min(end, lower + planes)
      let near = max(0, lower - margin)..<min(extents.z, range.upperBound + margin)
      guard let box = near.compactMap({ boxes[$0] }).reduce(nil, { $0?.union($1) ?? $1 })
      else { return nil }
      return Slab(
        planes: range,
        box: PlaneBox(x: widened(box.x, extents.x), y: widened(box.y, extents.y)))
    }
  }

  /// The label priors of `labeller` where the affine alone brings the atlas: f exp(r) / sum over labels of it,
  /// where r is what the network makes of the posteriors of `scan`, which lies on the atlas grid.
  ///
  /// - Throws: `NetworkError`.
  func priors(
    of scan: Volume<Float>, by labeller: PlaneLabeller, anatomies: [LocationPrior]
  ) throws -> [LocationPrior] {
    let grid = scan.grid
    let labeller = labeller.onAtlas(grid)
    let view = ContextView(scan, by: labeller, merge: merge)
    let labellers = anatomies.indices.map { labeller.under(anatomy: $0) }
    var planes = anatomies.map { _ in [PriorPlane?](repeating: nil, count: grid.extents.z) }
    func finish(_ range: Range<Int>, _ factors: LabelFactors?) {
      for (i, own) in labellers.enumerated() {
        let made = Parallel.map(range.count) {
          Self.plane(range.lowerBound + $0, of: grid, by: own, view.channelOf, factors)
        }
        for (plane, value) in zip(range, made) { planes[i][plane] = value }
      }
    }
    let shape = file.description.shape
    let memory = try Tensor(
      count: slabs.map { ContextNetwork.workspace(shape, $0.extents) }.max() ?? 0)
    let values = try Tensor(
      count: slabs.map { ActivationShape(channels: shape.labels, extents: $0.extents).count }.max()
        ?? 0)
    var next = 0
    for slab in slabs {
      finish(next..<slab.planes.lowerBound, nil)
      next = slab.planes.upperBound
      let network = try ContextNetwork(
        shape, extents: slab.extents, trains: false, memory: memory)
      try file.load(into: network.parameters)
      network.update()
      let q = values.slice(0, count: network.activation.count)
      view.fill(q, network.activation, from: slab.lower)
      network.forward(q, into: q)
      Parallel.forEachRange(of: q.count, size: 1 << 16) { range in
        segpipe_exp(q.pointer + range.lowerBound, q.pointer + range.lowerBound, range.count)
      }
      finish(
        slab.planes, LabelFactors(values: q, shape: network.activation, lower: slab.lower))
    }
    finish(next..<grid.extents.z, nil)
    return anatomies.indices.map { i in
      LocationPrior(
        grid: grid, table: anatomies[i].table, outside: anatomies[i].outside,
        planes: planes[i].compactMap { $0 })
    }
  }

  /// What the probabilities of merged labels are multiplied by, in a box that begins at `lower`.
  private struct LabelFactors {
    let values: Tensor
    let shape: ActivationShape
    let lower: SIMD3<Int>

    /// Columns of a row of the grid that the box holds; nil for a row beyond it.
    func columns(_ y: Int, width: Int) -> Range<Int>? {
      (lower.y..<lower.y + shape.extents.height).contains(y)
        ? lower.x..<min(width, lower.x + shape.extents.width) : nil
    }

    @inline(__always)
    func value(_ x: Int, _ y: Int, _ z: Int, _ channel: Int) -> Float {
      let box = shape.extents
      let voxel = ((z - lower.z) * box.height + y - lower.y) * box.width + x - lower.x
      return values.pointer[(channel / 16 * box.count + voxel) * 16 + channel % 16]
    }
  }

  /// A plane of a label prior.
  private static func plane(
    _ z: Int, of grid: Grid, by labeller: PlaneLabeller, _ channelOf: [Int],
    _ factors: LabelFactors?
  ) -> PriorPlane {
    let labels = channelOf.count
    let padded = (labels + 15) / 16 * 16
    let (width, height) = (grid.extents.x, grid.extents.y)
    var row = [Float](repeating: 0, count: width * labels)
    var values = [Float](repeating: 0, count: width * height * padded)
    for y in 0..<height {
      labeller.priors(x: 0..<width, y: y, z: z, into: &row)
      let inside = factors?.columns(y, width: width) ?? 0..<0
      for x in 0..<width {
        let (from, to) = (x * labels, (y * width + x) * padded)
        guard let factors, inside.contains(x) else {
          for label in 0..<labels { values[to + label] = row[from + label] }
          continue
        }
        var sum: Float = 0
        for label in 0..<labels where row[from + label] > least {
          let value = row[from + label] * factors.value(x, y, z, channelOf[label])
          values[to + label] = value
          sum += value
        }
        for label in 0..<labels { values[to + label] /= sum }
      }
    }
    return values.withUnsafeBufferPointer {
      PriorPlane($0, voxels: width * height, labels: labels)
    }
  }

  /// Probabilities below are no more than the chance of any label anywhere.
  private static let least: Float = 1e-5
}
