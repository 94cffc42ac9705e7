import Imaging

/// Draws slices of a scan and its labels.
struct SlicePainter {
  let scan: Volume<Float>
  let labels: Volume<Int32>
  let palette: Palette
  let axes: AnatomicalAxes
  let box: VoxelBox
  /// Side of a pixel, in mm.
  let pixel: Double
  let window: IntensityWindow

  /// Pixels that a slice takes.
  func size(of view: ViewPlane) -> (width: Int, height: Int) {
    let (across, up, _) = view.directions
    return (pixels(along: axes.axes[across]), pixels(along: axes.axes[up]))
  }

  private func pixels(along axis: Int) -> Int {
    let length = Double(box.high[axis] - box.low[axis] + 1) * scan.grid.spacing[axis]
    return max(1, Int((length / pixel).rounded()))
  }

  /// Voxel index along each pixel of a body direction, growing that way.
  private func voxels(along direction: Int) -> [Int] {
    let axis = axes.axes[direction]
    let count = pixels(along: axis)
    let side = box.high[axis] - box.low[axis] + 1
    let indices = (0..<count).map { pixel in
      box.low[axis] + min(side - 1, (2 * pixel + 1) * side / (2 * count))
    }
    return axes.flipped[direction] ? indices.reversed() : indices
  }

  /// Draws the slice that cuts the box at a fraction of its way: 0 at its left, back or bottom, 1 at its
  /// other end.
  func paint(
    _ view: ViewPlane, fraction: Double, overlaid: Bool, atX left: Int, y top: Int,
    on image: inout RGBImage
  ) {
    let (across, up, through) = view.directions
    let columns = voxels(along: across)
    let rows = Array(voxels(along: up).reversed())
    let axis = axes.axes[through]
    let side = box.high[axis] - box.low[axis] + 1
    let place = min(side - 1, Int(fraction * Double(side)))
    let slice = axes.flipped[through] ? box.high[axis] - place : box.low[axis] + place

    func voxel(_ column: Int, _ row: Int) -> Int {
      var index = SIMD3<Int>.zero
      index[axes.axes[across]] = columns[column]
      index[axes.axes[up]] = rows[row]
      index[axis] = slice
      return scan.grid.index(index.x, index.y, index.z)
    }
    for row in rows.indices {
      for column in columns.indices {
        let here = voxel(column, row)
        let grey = SIMD3<Float>(repeating: 255 * window.brightness(of: scan.voxels[here]))
        let label = labels.voxels[here]
        var color = grey
        if overlaid, label != 0 {
          let next = voxel(min(column + 1, columns.count - 1), row)
          let below = voxel(column, min(row + 1, rows.count - 1))
          let isBoundary = labels.voxels[next] != label || labels.voxels[below] != label
          let share: Float = isBoundary ? 0.85 : 0.4
          color = grey * (1 - share) + palette[label] * share
        }
        image[left + column, top + row] = SIMD3<UInt8>(color, rounding: .toNearestOrEven)
      }
    }
    letter(view, slice: slice, columns.count, rows.count, atX: left, y: top, on: &image)
  }

  /// Sides, and where the slice lies.
  private func letter(
    _ view: ViewPlane, slice: Int, _ width: Int, _ height: Int, atX left: Int, y top: Int,
    on image: inout RGBImage
  ) {
    guard width > 40, height > 24 else { return }
    let middle = top + (height - BitmapFont.height) / 2
    BitmapFont.draw(view.letters.left, atX: left + 2, y: middle, on: &image)
    BitmapFont.draw(
      view.letters.right, atX: left + width - BitmapFont.width - 2, y: middle, on: &image)
    let direction = view.directions.through
    var centre = SIMD3<Double>(box.low &+ box.high) / 2
    centre[axes.axes[direction]] = Double(slice)
    let position = scan.grid.affine(centre)[direction]
    let text = "\(Int(clamping: Int64(position.rounded().clamped(to: -99_999...99_999)))) mm"
    BitmapFont.draw(text, atX: left + 2, y: top + height - BitmapFont.height - 2, on: &image)
  }
}

extension Double {
  /// The nearest number of a range; its lower end for NaN.
  fileprivate func clamped(to range: ClosedRange<Double>) -> Double {
    isNaN ? range.lowerBound : Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
  }
}
