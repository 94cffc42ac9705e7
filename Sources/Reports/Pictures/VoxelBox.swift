import Anatomy
import Imaging

/// A box of voxels inside a volume, both corners included.
struct VoxelBox: Equatable {
  var low: SIMD3<Int>
  var high: SIMD3<Int>

  /// The smallest box around everything that is not background; the whole volume where all is.
  static func labelled(_ labels: Volume<Int32>) -> VoxelBox {
    let extents = labels.grid.extents
    var low = extents
    var high = SIMD3(repeating: -1)
    labels.voxels.withUnsafeBufferPointer { voxels in
      var place = 0
      for z in 0..<extents.z {
        for y in 0..<extents.y {
          let row = voxels[place..<place + extents.x]
          place += extents.x
          guard let first = row.firstIndex(where: { $0 != 0 }),
            let last = row.lastIndex(where: { $0 != 0 })
          else { continue }
          low = pointwiseMin(low, SIMD3(first - row.startIndex, y, z))
          high = pointwiseMax(high, SIMD3(last - row.startIndex, y, z))
        }
      }
    }
    if high.x < 0 { return VoxelBox(low: .zero, high: extents &- SIMD3(repeating: 1)) }
    return VoxelBox(low: low, high: high)
  }

  /// Wider by a fraction of its size on every side, but not beyond the volume.
  func widened(byFraction fraction: Double, within extents: SIMD3<Int>) -> VoxelBox {
    var box = self
    for axis in 0..<3 {
      let margin = Int((Double(high[axis] - low[axis] + 1) * fraction).rounded(.up))
      box.low[axis] = max(0, low[axis] - margin)
      box.high[axis] = min(extents[axis] - 1, high[axis] + margin)
    }
    return box
  }

  /// Its longest side, in mm.
  func largestSide(of grid: Grid) -> Double {
    (0..<3).map { Double(high[$0] - low[$0] + 1) * grid.spacing[$0] }.max() ?? 1
  }
}

/// The intensities drawn as black and as white.
struct IntensityWindow: Equatable {
  let black: Float
  let white: Float

  /// From the 1st to the 99th percentile of what is finite and not zero in the box: air padded with
  /// zeros and a few hot voxels change nothing. Looks at 100,000 voxels at most. Soft tissue where the scan is a CT.
  init(of scan: Volume<Float>, in box: VoxelBox) {
    if HounsfieldUnits.isCT(scan.voxels) {
      let tissue = HounsfieldUnits.softTissue
      (black, white) = (tissue.lowerBound, tissue.upperBound)
      return
    }
    let size = box.high &- box.low &+ SIMD3(repeating: 1)
    let count = size.x * size.y * size.z
    let step = max(1, count / 100_000)
    var values: [Float] = []
    for place in stride(from: 0, to: count, by: step) {
      let x = place % size.x
      let y = place / size.x % size.y
      let value = scan[box.low.x + x, box.low.y + y, box.low.z + place / (size.x * size.y)]
      if value.isFinite, value != 0 { values.append(value) }
    }
    values.sort()
    guard let first = values.first, let last = values.last, first < last else {
      black = (values.first ?? 0) - 1
      white = (values.first ?? 0) + 1
      return
    }
    let low = values[values.count / 100]
    let high = values[values.count - 1 - values.count / 100]
    (black, white) = low < high ? (low, high) : (first, last)
  }

  /// 0...1 for what lies between black and white.
  func brightness(of value: Float) -> Float {
    value.isFinite ? max(0, min(1, (value - black) / (white - black))) : 0
  }
}
