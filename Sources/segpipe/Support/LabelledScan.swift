import Imaging

/// A scan whose labels are known, both on one grid.
struct LabelledScan {
  /// What it is called in tables, and its files are named after.
  let name: String
  let scan: Volume<Float>
  let labels: Volume<Int32>

  /// Writes both: the scan as 16-bit integers where that loses nothing, else as 32-bit floats.
  func write(scan path: String, labels labelPath: String, description: String) throws {
    var labelling = VolumeStreamWriter.Labelling()
    labelling.description = description
    let isShort = scan.voxels.allSatisfy { Int16(exactly: $0) != nil }
    let writer = try VolumeStreamWriter(
      path, grid: scan.grid, volumes: nil, type: isShort ? .int16 : .float32,
      labelling: labelling, level: 1)
    if isShort {
      try writer.write(scan.voxels.map { Int16($0) })
    } else {
      try writer.write(scan.voxels)
    }
    try writer.commit()
    try ImageWriter.write(labels: labels, like: nil, to: labelPath, description: description)
  }
}
