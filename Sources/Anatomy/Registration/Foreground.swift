import Imaging

/// What of a scan is brighter than half the mean of the voxels that are not zero. Intensities beyond the scale count as
/// its end: a single hot voxel is no foreground.
struct Foreground {
  let threshold: Float
  /// In the world, mm.
  let centre: SIMD3<Double>
  /// Between these lies all but a hundredth of it at either end of each axis, mm.
  let lower: SIMD3<Double>
  let upper: SIMD3<Double>

  init(of scan: Volume<Float>, scale: IntensityScale) {
    let used = scan.voxels.filter { $0 != 0 && $0.isFinite }
    let mean =
      used.reduce(0.0) { $0 + Double(max(scale.low, min(scale.high, $1))) }
      / Double(max(1, used.count))
    threshold = Float(mean / 2)
    var sum = SIMD3<Double>.zero
    var places = [[Double]](repeating: [], count: 3)
    var voxel = 0
    for z in 0..<scan.grid.extents.z {
      for y in 0..<scan.grid.extents.y {
        for x in 0..<scan.grid.extents.x {
          if Double(scan.voxels[voxel]) > mean / 2 {
            let at = SIMD3(Double(x), Double(y), Double(z))
            sum += at
            let place = scan.grid.affine(at)
            for axis in 0..<3 { places[axis].append(place[axis]) }
          }
          voxel += 1
        }
      }
    }
    let count = places[0].count
    centre = count > 0 ? scan.grid.affine(sum / Double(count)) : scan.grid.centre
    var (lower, upper) = (centre, centre)
    for axis in 0..<3 where count > 0 {
      let sorted = places[axis].sorted()
      (lower[axis], upper[axis]) = (sorted[count / 100], sorted[count - 1 - count / 100])
    }
    (self.lower, self.upper) = (lower, upper)
  }

  /// Nearest that the middle of what is looked for comes to where the foreground ends, mm.
  private static let margin = 60.0
  private static let step = 20.0

  /// Where along a world axis the foreground's centre may lie from the middle of what is looked for, mm: a step apart, to
  /// either side by at least so much, and in a scan of more of the body as far as that reaches.
  func steps(axis: Int, atLeast least: Double) -> [Double] {
    let (below, above) = (
      centre[axis] - upper[axis] + Self.margin, centre[axis] - lower[axis] - Self.margin
    )
    func more(_ room: Double) -> Int { max(0, Int((room - least) / Self.step)) }
    return Array(
      stride(
        from: -least - Double(more(-below)) * Self.step,
        through: least + Double(more(above)) * Self.step, by: Self.step))
  }
}
