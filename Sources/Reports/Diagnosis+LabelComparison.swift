import Imaging

extension LabelComparisonError: Diagnosable {
  package var diagnosis: Diagnosis {
    switch self {
    case .otherGrid(let found, let reference):
      let words =
        found.extents == reference.extents
        ? "the same size of \(size(found)) voxels, but other places in space"
        : "\(size(found)) against \(size(reference)) voxels"
      return Diagnosis(
        "the segmentation does not lie on the reference's grid: \(words)",
        hint: "Bring one onto the other's grid first, with segpipe conform.", status: .badData)
    case .nothingToScore(let smallest):
      return Diagnosis(
        "the reference holds no structure of at least \(smallest) voxels that could be scored",
        hint: "Check that segmentation and reference were not swapped, and the choice of --set.",
        status: .badData)
    }
  }

  private func size(_ grid: Grid) -> String {
    "\(grid.extents.x)x\(grid.extents.y)x\(grid.extents.z)"
  }
}
