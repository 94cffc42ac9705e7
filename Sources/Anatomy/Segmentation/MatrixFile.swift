import Files
import Foundation
import Imaging

/// An affine map between a scan and an atlas in a file, as registration programs write it.
///
/// | format | matrix | goes |
/// |---|---|---|
/// | plain | 3x4 or 4x4 numbers, rows, world mm (RAS+); `#` starts a comment | from scan to atlas |
/// | itk | AffineTransform or MatrixOffsetTransformBase, text or MATLAB level 4, world mm (LPS+) | from atlas to scan: what ITK, ANTs and SimpleITK resample the scan with |
/// | fsl | 4x4 numbers, voxels times their size, first axis flipped where the grid is not mirrored | from scan to an image on the atlas grid: `flirt -in scan -ref image` |
package struct MatrixFile: Equatable, Sendable {
  package enum Format: String, CaseIterable, Sendable {
    case plain, itk, fsl
  }

  package let path: String
  package let format: Format
  /// As it stands in the file.
  package let matrix: Affine

  /// Largest file that may be a matrix, in bytes.
  private static let largest = 1 << 16

  /// Reads a file. Without a format: `itk` by its content, `fsl` for numbers in a `.mat`, else `plain`.
  ///
  /// - Throws: `FileError.missing`, `ImagingError.directory`, `AnatomyError.badMatrix`.
  package init(reading path: String, format: Format? = nil) throws {
    let bytes = try Self.bytes(of: path)
    func bad(_ found: String) -> AnatomyError { .badMatrix(path: path, found: found) }
    self.path = path
    if let found = try ITKTransform(matlab: bytes, bad: bad) {
      self.format = .itk
      matrix = found.matrix
    } else {
      guard let text = String(bytes: bytes, encoding: .utf8) else { throw bad("no text") }
      if text.hasPrefix("#Insight Transform File") || format == .itk {
        self.format = .itk
        matrix = try ITKTransform(text: text, bad: bad).matrix
      } else {
        self.format = format ?? (path.lowercased().hasSuffix(".mat") ? .fsl : .plain)
        matrix = try Self.numbers(text, bad: bad)
      }
    }
    guard format == nil || format == self.format else {
      throw bad("an ITK transform, not a matrix of the format \(format?.rawValue ?? "")")
    }
    guard matrix.rows.joined().allSatisfy(\.isFinite) else { throw bad("a number is not finite") }
  }

  private static func bytes(of path: String) throws -> [UInt8] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw FileError.missing(path: path)
    }
    if isFolder.boolValue { throw ImagingError.directory(path: path) }
    guard let file = FileHandle(forReadingAtPath: path),
      let data = try? file.read(upToCount: largest + 1)
    else {
      throw AnatomyError.badMatrix(path: path, found: "nothing that can be read")
    }
    guard data.count <= largest else {
      throw AnatomyError.badMatrix(path: path, found: "more than \(largest) bytes")
    }
    return [UInt8](data)
  }

  /// Rows of four numbers, separated by white space or commas.
  private static func numbers(_ text: String, bad: (String) -> AnatomyError) throws -> Affine {
    var rows: [[Double]] = []
    for line in text.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
      let fields = line.split { $0.isWhitespace || $0 == "," }
      if fields.isEmpty { continue }
      let numbers = fields.compactMap { Double($0) }
      guard numbers.count == fields.count else { throw bad("'\(line.prefix(60))'") }
      rows.append(numbers)
    }
    guard rows.count == 3 || rows.count == 4, rows.allSatisfy({ $0.count == 4 }) else {
      throw bad("\(rows.count) rows of \(rows.first?.count ?? 0) numbers")
    }
    guard rows.count == 3 || rows[3] == [0, 0, 0, 1] else {
      throw bad("a last row other than 0 0 0 1")
    }
    return Affine(rows: rows)
  }

  /// The map from scan world mm to atlas world mm.
  ///
  /// - Throws: `AnatomyError.badMatrix` for one that cannot be inverted, mirrors, or changes volumes by more
  ///   than a factor of 30: two programs that disagree on a convention, most often.
  package func transform(scan: Grid, atlas: Grid) throws -> Affine {
    guard abs(matrix.determinant) > 1e-9 else {
      throw AnatomyError.badMatrix(path: path, found: "a matrix without an inverse")
    }
    let result: Affine
    switch format {
    case .plain: result = matrix
    case .itk: result = Self.mirrored(matrix).inverse
    case .fsl: result = Self.fslWorld(atlas) * matrix * Self.fslWorld(scan).inverse
    }
    let change = result.determinant
    guard change > 0 else {
      throw AnatomyError.badMatrix(path: path, found: "a map that swaps left and right")
    }
    guard change > 1.0 / 30, change < 30 else {
      let factor = (change * 1000).rounded() / 1000
      throw AnatomyError.badMatrix(path: path, found: "a map that multiplies volumes by \(factor)")
    }
    return result
  }

  /// Between RAS+ and LPS+, either way.
  static func mirrored(_ a: Affine) -> Affine {
    let turn = Affine(rows: [[-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 1, 0]])
    return turn * a * turn
  }

  /// FSL's scaled voxel coordinates of a grid to its world mm.
  static func fslWorld(_ grid: Grid) -> Affine {
    let size = grid.spacing
    var scaled = Affine(
      rows: [[1 / size.x, 0, 0, 0], [0, 1 / size.y, 0, 0], [0, 0, 1 / size.z, 0]])
    if grid.affine.determinant > 0 {
      scaled.columns.0.x = -1 / size.x
      scaled.translation.x = Double(grid.extents.x - 1)
    }
    return grid.affine * scaled
  }

  /// A map from scan world mm to atlas world mm as a file's text: `itk` or `plain`.
  package static func text(_ transform: Affine, as format: Format, software: String) -> String {
    guard format == .itk else {
      let rows = (transform.rows + [[0, 0, 0, 1]]).map { row in
        row.map { "\($0)" }.joined(separator: " ")
      }
      return (["# \(software): scan world mm (RAS+) to atlas world mm"] + rows)
        .joined(separator: "\n") + "\n"
    }
    let rows = mirrored(transform.inverse).rows
    let parameters = rows.flatMap { $0.prefix(3) } + rows.map { $0[3] }
    return """
      #Insight Transform File V1.0
      # \(software): atlas to scan, for resampling the scan onto the atlas
      #Transform 0
      Transform: AffineTransform_double_3_3
      Parameters: \(parameters.map { "\($0)" }.joined(separator: " "))
      FixedParameters: 0 0 0

      """
  }
}
