/// The voxels of a scan that have a value, where many have none.
///
/// A mask leaves them side by side and sets everything around to not-a-number; what is left of a damaged scan
/// lies scattered, or in a few slices.
struct FinitePart {
  private var finite = 0
  /// Of these, how many have a value on both sides along the first axis.
  private var inner = 0
  /// Slices with a value along each axis, from the first to the last.
  private var low = SIMD3(repeating: Int.max)
  private var high = SIMD3(repeating: -1)

  /// `values` are not-a-number where there is no value.
  init(_ values: [Float], _ extents: SIMD3<Int>) {
    values.withUnsafeBufferPointer { values in
      for z in 0..<extents.z {
        for y in 0..<extents.y {
          let row = (z * extents.y + y) * extents.x
          for x in 0..<extents.x where values[row + x].isFinite {
            finite += 1
            let place = SIMD3(x, y, z)
            low.replace(with: place, where: place .< low)
            high.replace(with: place, where: place .> high)
            if x > 0, x + 1 < extents.x, values[row + x - 1].isFinite, values[row + x + 1].isFinite
            {
              inner += 1
            }
          }
        }
      }
    }
  }

  /// Whether it may be all of a scan that was not masked: as many slices along each axis as any scan must
  /// have, and at least half of the voxels between others.
  var isScan: Bool {
    finite > 0 && (high &- low).min() + 1 >= ImageReader.fewestSlices && 2 * inner >= finite
  }
}
