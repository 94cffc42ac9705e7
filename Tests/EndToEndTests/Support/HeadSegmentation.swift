import Foundation
import Imaging
import Testing

/// What the built program makes of a head scan by the location prior of the built-in atlas alone.
struct HeadSegmentation {
  let result: Program.Result
  let labels: Volume<Int32>
  /// The JSON file beside the label map.
  let notes: String

  init(_ scan: Volume<Float>) throws {
    (result, labels, notes) = try Scratch.use { folder in
      try ImageWriter.write(
        scan: scan, like: nil, to: folder + "/scan.nii", description: "test")
      let result = try Program.run(
        "segment", folder + "/scan.nii", "-o", folder + "/seg.nii", "--atlas",
        Places.atlases + "/head", "--no-prior")
      #expect(result.status == 0, "\(result.errors)")
      return (
        result, try ImageReader.readLabels(folder + "/seg.nii").volume,
        try String(contentsOfFile: folder + "/seg.json", encoding: .utf8)
      )
    }
  }
}
