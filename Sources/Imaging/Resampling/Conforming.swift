/// An image brought onto a grid through world coordinates, from file to file.
///
/// Scans are resampled and written slab by slab: beyond the input itself little memory is needed.
package struct Conforming: Sendable {
  /// The grid to bring images onto; `nil` for the head's standard grid or what `extents` ask for.
  let grid: Grid?
  /// Extents of a grid centred on each input, axes L-I-A; `nil` for the head's standard grid.
  let extents: SIMD3<Int>?
  /// Voxel size of that grid, in mm.
  let spacing: Double
  /// Header whose geometry the output repeats.
  let like: ImageHeader?
  /// At most 80 bytes, for the output's header.
  let description: String

  package init(
    grid: Grid?, extents: SIMD3<Int>?, spacing: Double, like: ImageHeader?, description: String
  ) {
    self.grid = grid
    self.extents = extents
    self.spacing = spacing
    self.like = like
    self.description = description
  }

  /// Conforms a scan, linearly, to float32. Returns doubts about the input.
  ///
  /// Throws: `ImagingError`, also when the input does not reach the grid at all.
  package func scan(_ input: String, to output: String, _ options: ReadOptions) throws -> [Finding]
  {
    let image = try ImageReader.readScan(input, options)
    let resampler = Resampler<Float>.linear(image.volume, onto: target(image.volume.grid))
    let doubts = try coverage(of: resampler, input)
    let header = OutputHeader.make(
      grid: resampler.target, like: like, type: .float32, volumes: nil, description: description)
    let sink = try ImageSink(output, header: header)
    let plane = resampler.target.extents.x * resampler.target.extents.y
    for slab in slabs(resampler.target) {
      try RawBytes.checkAvailable(4 * plane * slab.count)
      try sink.write(resampler.slab(slab)) { $0.bitPattern.littleEndian }
    }
    try sink.commit()
    return image.findings + doubts
  }

  /// Conforms a label map, by resampled probabilities. Returns doubts about the input.
  ///
  /// The whole output is held in memory. Throws: as for scans.
  package func labels(
    _ input: String, to output: String, _ options: ReadOptions
  ) throws -> [Finding] {
    let image = try ImageReader.readLabels(input, options)
    let resampler = Resampler<Int32>.labels(image.volume, onto: target(image.volume.grid))
    try RawBytes.checkAvailable(4 * resampler.target.count)
    let doubts = try coverage(of: resampler, input)
    try ImageWriter.write(
      labels: resampler.volume(), like: like, to: output, description: description)
    return image.findings + doubts
  }

  /// The grid for an input.
  func target(_ input: Grid) -> Grid {
    if let grid { return grid }
    guard let extents, let axes = Orientation("LIA") else { return .standardHead }
    let centred = axes.affine(spacing: SIMD3(repeating: spacing), extents: extents)
    return Grid(
      extents: extents,
      affine: Affine(
        columns: centred.columns, translation: centred.translation + input.centre))
  }

  private func slabs(_ grid: Grid) -> [Range<Int>] {
    let planes = max(1, (1 << 20) / (grid.extents.x * grid.extents.y))
    return stride(from: 0, to: grid.extents.z, by: planes).map {
      $0..<min($0 + planes, grid.extents.z)
    }
  }

  private func coverage<Scalar>(
    of resampler: Resampler<Scalar>, _ input: String
  ) throws -> [Finding] {
    let covered = resampler.coverage
    let centre = resampler.source.grid.centre
    let place = (0..<3).map { "\(Int(centre[$0].rounded()))" }.joined(separator: ", ")
    guard covered > 0 else {
      throw ImagingError.content(
        path: input,
        findings: [
          Finding(
            .error, "coverage",
            "the image, whose centre is at (\(place)) mm, does not reach the grid",
            fix: "Its header's origin may be wrong; nothing is registered here.")
        ])
    }
    // Going back, the grid is usually the larger box.
    guard covered < 0.5, like == nil else { return [] }
    return [
      Finding(
        .warning, "coverage",
        "only \(Int(covered * 100)) % of the grid lie in the image, whose centre "
          + "is at (\(place)) mm",
        fix: "Its header's origin may be wrong; nothing is registered here.")
    ]
  }
}
