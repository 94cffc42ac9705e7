import Foundation
import Imaging
import Networks
import Parallel

/// Changes label priors by what a scan's posteriors look like around each voxel.
///
/// Works where structures of interest may be, a few planes of the atlas grid at a time; elsewhere priors stay as they are.
struct ContextReader: Sendable {
  private let file: ContextFile
  private let merge: SideMerge
  private let isOfInterest: [Bool]

  /// The box of the atlas grid that is looked at, which goes on by what is within reach below and above it, and what of
  /// it is wanted.
  private struct Frame {
    /// Of the grid.
    let lower: SIMD3<Int>
    /// Logits are wanted from plane `ContextShape.reach` on.
    let parts: ContextParts
    let extents: Extents

    /// Nil where nothing is wanted.
    init?(_ wanted: RowSpans) {
      let planes = (0..<wanted.extents.depth).filter { wanted.rectangle(of: $0..<$0 + 1) != nil }
      guard let first = planes.first, let last = planes.last,
        let rectangle = wanted.rectangle(of: first..<last + 1)
      else { return nil }
      let reach = ContextShape.reach
      let (rows, columns) = (rectangle.rows, rectangle.columns)
      // Even extents, which may go beyond the grid.
      func even(_ count: Int) -> Int { count + count % 2 }
      extents = Extents(even(last + 1 - first) + 2 * reach, even(rows.count), even(columns.count))
      let lower = SIMD3(columns.lowerBound, rows.lowerBound, first - reach)
      self.lower = lower
      parts = ContextParts(
        RowSpans(extents) { plane, row in
          guard (first...last).contains(lower.z + plane), row < rows.count else { return 0..<0 }
          let range = wanted.range(plane: lower.z + plane, row: lower.y + row)
          return range.isEmpty
            ? 0..<0 : range.lowerBound - lower.x..<range.upperBound - lower.x
        })
    }

    /// Planes of the frame whose logits are made at once, one range after the other.
    var windows: [Range<Int>] {
      let (first, end) = (ContextShape.reach, extents.depth - ContextShape.reach)
      return stride(from: first, to: end, by: ContextReader.planes).map {
        $0..<min(end, $0 + ContextReader.planes)
      }
    }
  }

  /// Planes of logits that are made at once, even: more take more memory, fewer are less work for several threads.
  private static let planes = 16
  /// Probability of structures of interest from which on a voxel is looked at, and voxels around these.
  private static let leastOfInterest: Float = 0.05
  private static let margin = 4
  /// How much residual logits count, w. With 1, 2 and 3, mean Dice of scans drawn from changed maps that the network was
  /// not trained on is 0.8714, 0.8735 and 0.8742, that of three real scans 0.8696, 0.8704 and 0.8704.
  private static let weight: Float = 2

  /// - Throws: `AnatomyError.otherAtlas` for a file that was trained with another atlas, or for other pairs of labels.
  init(_ file: ContextFile, atlas: Atlas) throws {
    try file.check(atlas)
    self.file = file
    merge = SideMerge(atlas.prior.table)
    let labels = file.description.shape.labels
    guard labels == merge.count else {
      throw AnatomyError.otherAtlas(
        path: file.path, found: "of \(labels) labels, those of both sides as one",
        expected: "\(atlas.name) of \(merge.count), by the partners in its table")
    }
    if let trained = file.description.merge, trained != merge.digest {
      throw AnatomyError.otherAtlas(
        path: file.path, found: "\(file.description.atlas) of sides and surroundings \(trained)",
        expected: "\(atlas.name) of \(merge.digest), by the partners and tissues in its table")
    }
    isOfInterest = atlas.prior.table.isOfInterest
  }

  /// The label priors of `labeller` where the affine alone brings the atlas: f exp(w r) / sum over labels of it,
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
    let wanted = wanted(labellers, grid)
    var planes = labellers.map { _ in [PriorPlane?](repeating: nil, count: grid.extents.z) }
    if let frame = Frame(wanted) {
      try walk(frame, view) { range, logits in
        for (i, own) in labellers.enumerated() {
          let made = Parallel.map(range.count) { z -> PriorPlane? in
            plane(range.lowerBound + z, of: grid, by: own, over: wanted, logits)
          }
          planes[i].replaceSubrange(range, with: made)
        }
      }
    }
    return anatomies.indices.map { i in
      let (own, known) = (labellers[i], planes[i])
      return LocationPrior(
        grid: grid, table: anatomies[i].table, outside: anatomies[i].outside,
        planes: Parallel.map(grid.extents.z) { known[$0] ?? plane($0, of: grid, by: own) })
    }
  }

  /// Calls `body` with the planes of the grid that a frame holds and their logits, a few at a time.
  private func walk(
    _ frame: Frame, _ view: ContextView, _ body: (Range<Int>, LabelLogits) -> Void
  ) throws {
    let reach = ContextShape.reach
    let windows = frame.windows
    let extents = Extents(
      (windows.map(\.count).max() ?? 0) + 2 * reach, frame.extents.height, frame.extents.width)
    let network = try ContextNetwork(file.description.shape, extents: extents, trains: false)
    try file.load(into: network.parameters)
    network.update()
    let shape = network.activation
    let (q, r) = (try Tensor(count: shape.count), try Tensor(count: shape.count))
    for (i, window) in windows.enumerated() {
      if i > 0 { network.advance(q, by: windows[i - 1].count) }
      let parts = frame.parts.window(window, depth: extents.depth, goesOn: i > 0)
      var lower = frame.lower
      lower.z += window.lowerBound - reach
      view.fill(q, shape, from: lower, over: parts.posteriors)
      network.forward(q, into: r, parts)
      let planes = lower.z + reach..<lower.z + reach + window.count
      body(
        planes.clamped(to: 0..<view.planes),
        LabelLogits(values: r, shape: shape, lower: lower, channelOf: view.channelOf))
    }
  }

  // MARK: - Where

  /// The voxels where structures of interest are probable under any anatomy, and those around them. Of each two planes
  /// and of each two rows one is looked at.
  private func wanted(_ labellers: [PlaneLabeller], _ grid: Grid) -> RowSpans {
    let (width, height) = (grid.extents.x, grid.extents.y)
    let found = Parallel.map((grid.extents.z + 1) / 2) { z in
      var own = PosteriorKernel.SparseRun(width: width, labels: merge.channelOf.count)
      return (0..<(height + 1) / 2).map { y in
        var hull = 0..<0
        for labeller in labellers {
          labeller.priors(x: 0..<width, y: 2 * y, z: 2 * z, into: &own)
          own.visit(width) { x, labels, values in
            var sum: Float = 0
            for i in labels.indices where isOfInterest[Int(labels[i])] { sum += values[i] }
            guard sum >= Self.leastOfInterest else { return }
            hull = hull.isEmpty ? x..<x + 1 : min(hull.lowerBound, x)..<max(hull.upperBound, x + 1)
          }
        }
        return hull
      }
    }
    return RowSpans(Extents(grid.extents.z, height, width)) { found[$0 / 2][$1 / 2] }
      .widened(by: Self.margin)
  }

  // MARK: - Planes

  /// What is added to the logarithms of merged labels' priors, in a box that begins at `lower`.
  private struct LabelLogits {
    let values: Tensor
    let shape: ActivationShape
    let lower: SIMD3<Int>
    let channelOf: [Int]

    @inline(__always)
    func value(_ x: Int, _ y: Int, _ z: Int, _ label: UInt8) -> Float {
      let (box, channel) = (shape.extents, channelOf[Int(label)])
      let voxel = ((z - lower.z) * box.height + y - lower.y) * box.width + x - lower.x
      return values.pointer[shape.index(channel: channel, voxel: voxel)]
    }
  }

  /// A plane of the label prior, over `wanted` changed by logits, if there are any.
  private func plane(
    _ z: Int, of grid: Grid, by labeller: PlaneLabeller, over wanted: RowSpans? = nil,
    _ logits: LabelLogits? = nil
  ) -> PriorPlane {
    let width = grid.extents.x
    var builder = PriorPlaneBuilder(voxels: width * grid.extents.y)
    var row = PosteriorKernel.SparseRun(width: width, labels: merge.channelOf.count)
    for y in 0..<grid.extents.y {
      labeller.priors(x: 0..<width, y: y, z: z, into: &row)
      let range = wanted?.range(plane: z, row: y) ?? 0..<0
      row.visit(width) { x, labels, values in
        if labels.count > 1, range.contains(x), let logits {
          for i in labels.indices {
            let r = logits.value(x, y, z, labels[i])
            values[i] *= exp(Self.weight * min(max(r, -ContextLoss.limit), ContextLoss.limit))
          }
        }
        builder.append(labels, values)
      }
    }
    return builder.finish()
  }
}

extension PosteriorKernel.SparseRun {
  /// Shows `body` the labels of each of the first voxels, and their probabilities.
  @inline(__always)
  fileprivate mutating func visit(
    _ voxels: Int,
    _ body: (
      _ x: Int, _ labels: UnsafeBufferPointer<UInt8>, _ values: UnsafeMutableBufferPointer<Float>
    ) -> Void
  ) {
    var first = 0
    let (counts, labels) = (counts, labels)
    labels.withUnsafeBufferPointer { labels in
      values.withUnsafeMutableBufferPointer { values in
        for x in 0..<voxels {
          let own = first..<first + Int(counts[x])
          body(
            x, UnsafeBufferPointer(rebasing: labels[own]),
            UnsafeMutableBufferPointer(rebasing: values[own]))
          first = own.upperBound
        }
      }
    }
  }
}
