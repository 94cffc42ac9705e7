import Anatomy
import Imaging

extension SyntheticScan {
  /// Writes the scan as 16-bit integers, and the labels that it was drawn from.
  func write(scan path: String, labels: String, description: String) throws {
    var labelling = VolumeStreamWriter.Labelling()
    labelling.description = description
    let writer = try VolumeStreamWriter(
      path, grid: scan.grid, volumes: nil, type: .int16, labelling: labelling, level: 1)
    try writer.write(scan.voxels.map { Int16(clamping: Int($0)) })
    try writer.commit()
    try ImageWriter.write(labels: truth, like: nil, to: labels, description: description)
  }
}
