import Foundation
import Imaging
import Networks
import Parallel

/// Changes label priors by what a scan's posteriors look like around each voxel.
///
/// Works where structures of interest may be, slab by slab of the atlas grid; elsewhere priors stay as they are.
struct ContextReader: Sendable {
  private let file: ContextFile
  private let merge: SideMerge
  private let isOfInterest: [Bool]

  /// Planes of the atlas grid, and what is looked at around them.
  private struct Slab {
    let planes: Range<Int>
    let columns: Range<Int>
    let rows: Range<Int>

    /// With the planes that are within reach.
    var extents: Extents {
      Extents((planes.count + 1) / 2 * 2 + 2 * ContextShape.reach, rows.count, columns.count)
    }

    /// Where `extents` begin.
    var lower: SIMD3<Int> {
      SIMD3(columns.lowerBound, rows.lowerBound, planes.lowerBound - ContextShape.reach)
    }

    /// The part of `wanted`, which is over the grid, that lies in its planes, over `extents`.
    func part(of wanted: RowSpans) -> RowSpans {
      RowSpans(extents) { plane, row in
        let (z, y) = (lower.z + plane, lower.y + row)
        guard planes.contains(z), y < wanted.extents.height else { return 0..<0 }
        let range = wanted.range(plane: z, row: y)
        return range.isEmpty
          ? 0..<0 : range.lowerBound - columns.lowerBound..<range.upperBound - columns.lowerBound
      }
    }
  }

  /// Planes of a slab: more take more memory, fewer are computed more often.
  private static let planes = 32
  /// Probability of structures of interest from which on a voxel is looked at, in 1/255, and voxels around these.
  private static let leastOfInterest = 13
  private static let margin = 4

  /// - Throws: `AnatomyError.otherAtlas` for a file that was trained for other labels.
  init(_ file: ContextFile, atlas: Atlas) throws {
    try file.check(atlas)
    self.file = file
    merge = SideMerge(atlas.prior.table)
    isOfInterest = atlas.prior.table.labels.map { Segmenter.isOfInterest($0) }
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
    var planes = labellers.map { own in
      Parallel.map(grid.extents.z) { plane($0, of: grid, by: own) }
    }
    let wanted = wanted(planes, grid)
    let slabs = Self.slabs(wanted)
    let shape = file.description.shape
    let memory = try Tensor(
      count: slabs.map { ContextNetwork.workspace(shape, $0.extents) }.max() ?? 0)
    let values = try Tensor(
      count: slabs.map { ActivationShape(channels: shape.labels, extents: $0.extents).count }.max()
        ?? 0)
    for slab in slabs {
      let network = try ContextNetwork(
        shape, extents: slab.extents, trains: false, memory: memory)
      try file.load(into: network.parameters)
      network.update()
      let q = values.slice(0, count: network.activation.count)
      let parts = ContextNetwork.Parts(slab.part(of: wanted))
      view.fill(q, network.activation, from: slab.lower, over: parts.posteriors)
      network.forward(q, into: q, parts)
      let logits = LabelLogits(
        values: q, shape: network.activation, lower: slab.lower, channelOf: view.channelOf)
      for (i, own) in labellers.enumerated() {
        let made = Parallel.map(slab.planes.count) { [planes] plane in
          let z = slab.planes.lowerBound + plane
          return changed(planes[i][z], z, of: grid, by: own, over: wanted, logits)
        }
        planes[i].replaceSubrange(slab.planes, with: made)
      }
    }
    return anatomies.indices.map { i in
      LocationPrior(
        grid: grid, table: anatomies[i].table, outside: anatomies[i].outside, planes: planes[i])
    }
  }

  // MARK: - Where

  /// The voxels where structures of interest are probable under any anatomy, and those around them.
  private func wanted(_ anatomies: [[PriorPlane]], _ grid: Grid) -> RowSpans {
    let (width, height) = (grid.extents.x, grid.extents.y)
    let found = Parallel.map(grid.extents.z) { z in
      var rows = [Range<Int>?](repeating: nil, count: height)
      for planes in anatomies {
        var entry = 0
        for voxel in 0..<width * height {
          var sum = 0
          for _ in 0..<planes[z].counts[voxel] {
            let value = planes[z].entries[entry]
            if isOfInterest[Int(value >> 8)] { sum += Int(value & 255) }
            entry += 1
          }
          guard sum >= Self.leastOfInterest else { continue }
          let (x, y) = (voxel % width, voxel / width)
          let known = rows[y] ?? x..<x + 1
          rows[y] = min(known.lowerBound, x)..<max(known.upperBound, x + 1)
        }
      }
      return rows.map { $0 ?? 0..<0 }
    }
    return RowSpans(Extents(grid.extents.z, height, width)) { found[$0][$1] }
      .widened(by: Self.margin)
  }

  private static func slabs(_ wanted: RowSpans) -> [Slab] {
    let extents = wanted.extents
    // Of even extents, which may go beyond the grid.
    func even(_ range: Range<Int>) -> Range<Int> {
      range.lowerBound..<range.upperBound + range.count % 2
    }
    let used = (0..<extents.depth).filter { wanted.rectangle(of: $0..<$0 + 1) != nil }
    guard let first = used.first, let last = used.last else { return [] }
    return stride(from: first, through: last, by: planes).compactMap { lower in
      let range = lower..<min(last + 1, lower + planes)
      return wanted.rectangle(of: range).map {
        Slab(planes: range, columns: even($0.columns), rows: even($0.rows))
      }
    }
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
      return values.pointer[(channel / 16 * box.count + voxel) * 16 + channel % 16]
    }
  }

  /// A plane of the label prior as it is.
  private func plane(_ z: Int, of grid: Grid, by labeller: PlaneLabeller) -> PriorPlane {
    let width = grid.extents.x
    var builder = PriorPlaneBuilder(voxels: width * grid.extents.y)
    var row = PlaneLabeller.SparseRow(width: width, labels: merge.channelOf.count)
    for y in 0..<grid.extents.y {
      labeller.priors(x: 0..<width, y: y, z: z, into: &row)
      row.append(width, to: &builder) { _, _, _ in }
    }
    return builder.finish()
  }

  /// The same, changed over `wanted` by logits.
  private func changed(
    _ plane: PriorPlane, _ z: Int, of grid: Grid, by labeller: PlaneLabeller, over wanted: RowSpans,
    _ logits: LabelLogits
  ) -> PriorPlane {
    let width = grid.extents.x
    var builder = PriorPlaneBuilder(voxels: width * grid.extents.y)
    var row = PlaneLabeller.SparseRow(width: width, labels: merge.channelOf.count)
    var entry = 0
    for y in 0..<grid.extents.y {
      let range = wanted.range(plane: z, row: y)
      let (first, end) = (y * width + range.lowerBound, y * width + range.upperBound)
      entry = builder.append(y * width..<first, of: plane, from: entry)
      if !range.isEmpty {
        labeller.priors(x: range, y: y, z: z, into: &row)
        row.append(range.count, to: &builder) { x, labels, values in
          for i in labels.indices {
            values[i] *= exp(logits.value(range.lowerBound + x, y, z, labels[i]))
          }
        }
        entry = plane.counts[first..<end].reduce(entry) { $0 + Int($1) }
      }
      entry = builder.append(end..<(y + 1) * width, of: plane, from: entry)
    }
    return builder.finish()
  }
}

extension PlaneLabeller.SparseRow {
  /// Appends the first voxels to a plane, after `change` was shown the labels and priors of each that has several.
  @inline(__always)
  fileprivate mutating func append(
    _ voxels: Int, to plane: inout PriorPlaneBuilder,
    _ change: (
      _ x: Int, _ labels: UnsafeBufferPointer<UInt8>, _ values: UnsafeMutableBufferPointer<Float>
    ) -> Void
  ) {
    var first = 0
    let (counts, labels) = (counts, labels)
    labels.withUnsafeBufferPointer { labels in
      values.withUnsafeMutableBufferPointer { values in
        for x in 0..<voxels {
          let own = first..<first + Int(counts[x])
          let (names, shares) = (
            UnsafeBufferPointer(rebasing: labels[own]),
            UnsafeMutableBufferPointer(rebasing: values[own])
          )
          if own.count > 1 { change(x, names, shares) }
          plane.append(names, shares)
          first = own.upperBound
        }
      }
    }
  }
}
