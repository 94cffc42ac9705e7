import Anatomy
import Imaging

extension LearningInputs {
  /// Reads and aligns the label maps; those held out, by name, apart. What is odd in a file is told once.
  ///
  /// - Throws: `AnatomyError`, `ImagingError`.
  func aligned(
    holdingOut names: [String], reading: ReadOptions, console: Console
  ) throws -> TrainingMaps {
    var shown: Set<String> = []
    return try aligned(holdingOut: names) { path in
      let image = try ImageReader.readLabels(path, reading)
      if shown.insert(path).inserted { console.show(image.findings, of: path) }
      return image.volume
    }
  }
}
