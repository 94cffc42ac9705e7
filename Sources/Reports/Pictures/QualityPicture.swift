import Imaging

/// A picture for judging a segmentation by eye: slices of the scan, and the same with the labels over it.
///
/// Two rows for each of axial, coronal and sagittal: the plain scan, and below it the labels blended over
/// the scan with their boundaries drawn stronger. Slices are spread evenly over the box that holds labels.
/// The body's right is on the picture's right and letters say so; each slice names its position in mm
/// (the world coordinate along its normal, at the middle of the box). Oblique volumes are drawn along
/// their own voxel axes, each taken for the body direction closest to it. Voxels keep their proportions.
package enum QualityPicture {
  /// Slices of each plane.
  package static let slices = 6
  /// Pixels along the longest side of the box.
  static let panel = 200
  private static let gap = 4

  /// Draws a scan and its labels, whose grids must have the same extents. Voxels that are not finite are
  /// black; values that the table does not know get colours of their own.
  package static func render(
    scan: Volume<Float>, labels: Volume<Int32>, table: LabelTable
  ) -> RGBImage {
    precondition(
      scan.grid.extents == labels.grid.extents,
      "a scan of \(scan.grid.extents) voxels and labels of \(labels.grid.extents)")
    let axes = AnatomicalAxes(of: scan.grid)
    let box = VoxelBox.labelled(labels).widened(byFraction: 0.06, within: scan.grid.extents)
    let pixel = box.largestSide(of: scan.grid) / Double(panel)
    let painter = SlicePainter(
      scan: scan, labels: labels, palette: Palette(table), axes: axes, box: box,
      pixel: pixel, window: IntensityWindow(of: scan, in: box))

    let views = ViewPlane.allCases
    let sizes = views.map { painter.size(of: $0) }
    let width = (sizes.map(\.width).max() ?? 1) * slices + gap * (slices + 1)
    let height = sizes.reduce(gap) { $0 + 2 * ($1.height + gap) }
    var image = RGBImage(width: width, height: height)
    var top = gap
    for (view, size) in zip(views, sizes) {
      for overlaid in [false, true] {
        for slice in 0..<slices {
          let cell = (width - gap) / slices
          let left = gap + slice * cell + (cell - gap - size.width) / 2
          painter.paint(
            view, fraction: (Double(slice) + 1) / Double(slices + 1), overlaid: overlaid,
            atX: left, y: top, on: &image)
        }
        top += size.height + gap
      }
    }
    return image
  }
}

/// The three planes people look at.
enum ViewPlane: CaseIterable {
  case axial, coronal, sagittal

  /// Body directions, 0 right, 1 anterior, 2 superior: to the picture's right, to its top, and through it.
  var directions: (across: Int, up: Int, through: Int) {
    switch self {
    case .axial: (0, 1, 2)
    case .coronal: (0, 2, 1)
    case .sagittal: (1, 2, 0)
    }
  }

  /// Letters at the picture's left and right.
  var letters: (left: String, right: String) {
    self == .sagittal ? ("P", "A") : ("L", "R")
  }
}

/// Colours of label values.
struct Palette {
  private let table: LabelTable

  init(_ table: LabelTable) { self.table = table }

  subscript(value: Int32) -> SIMD3<Float> {
    let color = table.label(of: value)?.color ?? .distinct(value)
    return SIMD3(Float(color.red), Float(color.green), Float(color.blue))
  }
}
