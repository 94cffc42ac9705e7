import Anatomy
import Files
import Foundation
import Imaging
import Reports

/// Anatomies on the atlas grid as files of a folder: `NAME-001.nii.gz` and on, and `volumes.tsv`.
struct AnatomyFolder {
  private let path: String
  private let name: String
  private let count: Int
  private let hasImages: Bool
  private var table = AnatomyVolumesTable()

  /// Checks that all files may be written, and makes the folder. `images` says whether there are any.
  ///
  /// - Throws: `ImagingError`, `FileError`.
  init(
    _ path: String, name: String, count: Int, images: Bool, overwrite: Bool, inputs: [String]
  ) throws {
    self.path = path.hasSuffix("/") ? path : path + "/"
    self.name = name
    self.count = count
    hasImages = images
    try OutputGuard.check(
      volumes, overwrite: overwrite, inputs: inputs, mark: AnatomyVolumesTable.firstLine)
    guard images else { return }
    for number in 1...count {
      try OutputGuard.check(
        self.path + stem(number) + ".nii.gz", overwrite: overwrite, inputs: inputs)
    }
  }

  private var volumes: String { path + "volumes.tsv" }

  private func stem(_ number: Int) -> String {
    let digits = "\(number)"
    let zeros = max(3, "\(count)".count) - digits.count
    return "\(name)-" + String(repeating: "0", count: max(0, zeros)) + digits
  }

  /// Writes an anatomy, positions in the table of the model's atlas, and notes its volumes.
  ///
  /// - Throws: `ImagingError`, `FileError`.
  mutating func add(
    _ labels: [UInt8], volumes: [Double], number: Int, by model: PriorModel
  ) throws {
    let stem = stem(number)
    table.add(sample: stem, volumes: volumes, table: model.space.table)
    guard hasImages else { return }
    try ImageWriter.write(
      labels: model.volume(labels, on: model.space.grid), like: nil,
      to: path + stem + ".nii.gz",
      description: "segpipe \(Version.current) \(model.atlas.name)")
  }

  /// Writes the table of volumes, after taking away images that an earlier run left and the table does not name. Throws
  /// `FileError`.
  func finish() throws {
    for file in leftOver { unlink(file) }
    try AtomicFile.write(table.encoded(), to: volumes)
  }

  /// Images of ours, by name and content, that are not of this run.
  private var leftOver: [String] {
    let written = Set(hasImages ? (1...count).map { stem($0) + ".nii.gz" } : [])
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.filter { file in
      guard file.hasPrefix(name + "-"), file.hasSuffix(".nii.gz"), !written.contains(file) else {
        return false
      }
      let digits = file.dropFirst(name.count + 1).dropLast(".nii.gz".count)
      return digits.count >= 3 && digits.utf8.allSatisfy { (48...57).contains($0) }
        && OutputGuard.isOurs(path + file)
    }.map { path + $0 }
  }
}
