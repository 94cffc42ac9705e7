import Imaging

/// Voxels that hold fluid and white matter. They look like grey matter, which the location prior expects along the walls
/// of ventricles, and belong to what they hold more of.
///
/// Found by their neighbours: on opposite sides, along an axis, lie fluid and white matter, and the intensity is between
/// theirs. One layer of them around ventricles twice as large as usual has the volume of a caudate nucleus.
struct MixedVoxels: Sendable {
  private enum Role: UInt8 { case other, fluid, white, between }

  /// One a label.
  private let roles: [Role]
  /// Voxels longer than this along an axis, mm, may hold a layer of grey matter whole.
  private static let thickest = 1.5

  /// A voxel, by its index in a volume, and the label that it is given.
  struct Change: Equatable, Sendable {
    let voxel: Int
    let label: UInt8
  }

  /// Labels are told apart by their tissues: white matter, and grey matter beneath the
  /// cortex. `isFluid`: for each label, whether it is fluid.
  init(_ table: LabelTable, isFluid: [Bool]) {
    roles = table.labels.indices.map { label in
      if isFluid[label] { return .fluid }
      switch table.labels[label].tissue {
      case .whiteMatter: return .white
      case .subcorticalGreyMatter: return .between
      default: return .other
      }
    }
  }

  /// Whether a label is one that mixed voxels are taken for.
  func isBetween(_ label: Int) -> Bool { roles[label] == .between }

  /// The mixed voxels of a plane along z, by the labels and intensities of a volume. Of several axes that of the
  /// greatest contrast decides.
  func changes(
    plane z: Int, of grid: Grid, labels: UnsafeBufferPointer<UInt8>,
    intensities: UnsafeBufferPointer<Float>
  ) -> [Change] {
    var changes: [Change] = []
    let extents = grid.extents
    let strides = SIMD3(1, extents.x, extents.x * extents.y)
    let axes = (0..<3).filter { grid.spacing[$0] <= Self.thickest }
    for y in 0..<extents.y {
      for x in 0..<extents.x {
        let voxel = (z * extents.y + y) * extents.x + x
        guard roles[Int(labels[voxel])] == .between else { continue }
        let place = SIMD3(x, y, z)
        var (label, greatest): (UInt8?, Float) = (nil, 0)
        for axis in axes where place[axis] > 0 && place[axis] < extents[axis] - 1 {
          let (before, after) = (voxel - strides[axis], voxel + strides[axis])
          let found = (roles[Int(labels[before])], roles[Int(labels[after])])
          guard found == (.fluid, .white) || found == (.white, .fluid) else { continue }
          let (a, b) = (intensities[before], intensities[after])
          let (fromA, toB) = (intensities[voxel] - a, b - intensities[voxel])
          guard fromA * toB > 0, abs(b - a) > greatest else { continue }
          greatest = abs(b - a)
          label = labels[abs(fromA) < abs(toB) ? before : after]
        }
        if let label { changes.append(Change(voxel: voxel, label: label)) }
      }
    }
    return changes
  }
}
