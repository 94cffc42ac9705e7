import Networks

/// A trained prior as scans are read by it: its weights, and the location prior that its decoder warps
/// at the atlas's resolution and at half of it.
package struct LearnedPrior: Sendable {
  package let file: PriorFile
  private let shape: WarpingShape
  private let prior: LocationPrior
  private let fine: BytePrior
  private let coarse: BytePrior

  /// - Throws: `AnatomyError.otherAtlas` if it was trained with another atlas,
  ///   `NetworkError.invalidShape` for an architecture that scans cannot be read by.
  package init(_ file: PriorFile, atlas: Atlas) throws {
    try file.check(atlas)
    guard file.description.settings.architecture == .warping else {
      throw NetworkError.invalidShape(
        reason: "scans are read by the default architecture, and this prior is of "
          + file.description.settings.architecture.rawValue)
    }
    self.file = file
    prior = atlas.prior
    shape = try file.description.settings.shape(for: prior)
    fine = prior.bytes
    coarse = prior.halvedBytes
  }

  /// The network for one scan; networks hold buffers, and serve one scan at a time. Throws
  /// `NetworkError`.
  func network() throws -> WarpingAutoEncoder {
    let model = try WarpingAutoEncoder(shape, prior: fine, for: .latentGradient)
    try file.load(into: model.parameters)
    model.update()
    return model
  }

  /// The network's last layer at half the atlas's resolution.
  var halfResolution: WarpedPrior {
    WarpedPrior(
      coarse, factor: shape.factor / 2, floor: shape.floor, reach: WarpedPrior.standardReach / 2)
  }

  /// The label prior that a network makes of z.
  func decoded(_ model: WarpingAutoEncoder, _ z: [Float]) throws -> LocationPrior {
    let (grid, labels) = (prior.grid, prior.table.count)
    let voxels = grid.extents.x * grid.extents.y
    var planes = [PriorPlane?](repeating: nil, count: grid.extents.z)
    try planes.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let slots = buffer
      try model.probabilities(at: z) { plane, values in
        slots[plane] = PriorPlane(values, voxels: voxels, labels: labels)
      }
    }
    return LocationPrior(
      grid: grid, table: prior.table, outside: prior.outside, planes: planes.compactMap { $0 })
  }
}

extension LocationPrior {
  /// Averages over blocks of 2x2x2 voxels, as a layer reads them that displaces them.
  fileprivate var halvedBytes: BytePrior {
    let labels = table.count
    let dense = GroupPrior(
      self, factor: 2, groupOf: Array(0..<labels), groups: labels)
    let extents = dense.grid.extents
    var (starts, entries): ([UInt32], [UInt16]) = ([0], [])
    starts.reserveCapacity(dense.grid.count + 1)
    for z in 0..<extents.z {
      for y in 0..<extents.y {
        for x in 0..<extents.x {
          for label in 0..<labels {
            let value = dense.value(x, y, z, label)
            if value > 0 { entries.append(UInt16(label) << 8 | UInt16(value)) }
          }
          starts.append(UInt32(entries.count))
        }
      }
    }
    return BytePrior(
      extents: dense.grid.networkExtents, labels: labels, starts: starts, entries: entries)
  }
}
