import Foundation
import Imaging
import Testing

/// A folder with a few small scans and the definition that segments them.
struct TinyStudy {
  let folder: String
  static let definition = Places.package.appending(path: "pipelines/segment-study.yaml").path

  /// Writes scans `a`, `b` and so on; each differs a little from the others.
  init(_ folder: String, scans: Int) throws {
    self.folder = folder
    try FileManager.default.createDirectory(
      atPath: folder + "/scans", withIntermediateDirectories: true)
    for number in 0..<scans { try write(number) }
  }

  func write(_ number: Int) throws {
    var scan = TinyAtlas.scan()
    for voxel in scan.voxels.indices { scan.voxels[voxel] *= 1 + 0.01 * Float(number) }
    try ImageWriter.write(
      scan: scan, like: nil, to: path(of: number), description: "test")
  }

  func path(of number: Int) -> String {
    "\(folder)/scans/\(UnicodeScalar(UInt8(97 + number))).nii.gz"
  }

  /// Options that name scans and atlas.
  var settings: [String] {
    ["--set", "scans=\(folder)/scans", "--set", "atlas=\(TinyAtlas.folder)"]
  }

  func run(_ workspace: String, _ more: String...) throws -> Program.Result {
    try Program.run(
      ["run", Self.definition, "--workspace", "\(folder)/\(workspace)"] + settings + more)
  }

  /// What a person gets, by path: everything but what is kept for the next run.
  func results(_ workspace: String) throws -> [String: [UInt8]] {
    let root = "\(folder)/\(workspace)"
    var found: [String: [UInt8]] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: root)
    where !path.hasPrefix(".segpipe") {
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: "\(root)/\(path)", isDirectory: &isFolder)
      if !isFolder.boolValue { found[path] = try fileBytes("\(root)/\(path)") }
    }
    return found
  }

  func text(_ path: String) -> String {
    (try? String(contentsOfFile: "\(folder)/\(path)", encoding: .utf8)) ?? ""
  }
}
