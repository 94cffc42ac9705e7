import Foundation
import Imaging

/// A NIfTI file's bytes with a chosen geometry, written without the program's own writer.
struct RawNIfTI {
  var version = 1
  var extents = TinyAtlas.grid.extents
  var pixdim: [Double] = [1, 3, 3, 3]
  var qformCode = 0
  var quaternion = SIMD3<Double>.zero
  var offset = SIMD3<Double>.zero
  var sformCode = 0
  var sform: [[Double]] = [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
  var units = 2
  /// Further dimensions after the first three.
  var more: [Int] = []

  /// Where the fields of the geometry are: pixdim 0 to 3, both codes, quaternion and offsets, sform rows,
  /// units.
  static func geometry(version: Int) -> [Range<Int>] {
    version == 1
      ? [76..<92, 252..<256, 256..<280, 280..<328, 123..<124]
      : [104..<136, 344..<352, 352..<400, 400..<496, 500..<504]
  }

  func bytes(_ voxels: [Float]) -> [UInt8] {
    var header = [UInt8](repeating: 0, count: version == 1 ? 352 : 544)
    func put<Number: FixedWidthInteger>(_ number: Number, _ at: Int) {
      withUnsafeBytes(of: number.littleEndian) {
        header.replaceSubrange(at..<at + $0.count, with: $0)
      }
    }
    func real(_ number: Double, _ first: Int, _ second: Int) {
      version == 1 ? put(Float(number).bitPattern, first) : put(number.bitPattern, second)
    }
    func integer(_ number: Int, _ first: Int, _ second: Int) {
      version == 1 ? put(Int16(number), first) : put(Int32(number), second)
    }
    put(Int32(version == 1 ? 348 : 540), 0)
    let dim = [3 + more.count, extents.x, extents.y, extents.z] + more
    for axis in 0..<8 {
      let extent = axis < dim.count ? dim[axis] : 1
      version == 1 ? put(Int16(extent), 40 + 2 * axis) : put(Int64(extent), 16 + 8 * axis)
    }
    put(Int16(16), version == 1 ? 70 : 12)
    put(Int16(32), version == 1 ? 72 : 14)
    for (axis, size) in pixdim.enumerated() { real(size, 76 + 4 * axis, 104 + 8 * axis) }
    version == 1 ? put(Float(352).bitPattern, 108) : put(Int64(544), 168)
    real(1, 112, 176)
    if version == 1 { put(UInt8(units), 123) } else { put(Int32(units), 500) }
    integer(qformCode, 252, 344)
    integer(sformCode, 254, 348)
    for axis in 0..<3 {
      real(quaternion[axis], 256 + 4 * axis, 352 + 8 * axis)
      real(offset[axis], 268 + 4 * axis, 376 + 8 * axis)
      for column in 0..<4 {
        real(sform[axis][column], 280 + 16 * axis + 4 * column, 400 + 32 * axis + 8 * column)
      }
    }
    let magic = version == 1 ? "n+1\0" : "n+2\0\r\n\u{1a}\n"
    let place = version == 1 ? 344 : 4
    header.replaceSubrange(place..<place + magic.utf8.count, with: magic.utf8)
    return header + voxels.withUnsafeBytes { Array($0) }
  }

  /// An MGH file of the same voxels on a grid of 3 mm, axes along `cosines`.
  static func mgh(_ voxels: [Float], grid: Grid) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 284)
    func put<Number: FixedWidthInteger>(_ number: Number, _ at: Int) {
      withUnsafeBytes(of: number.bigEndian) {
        bytes.replaceSubrange(at..<at + $0.count, with: $0)
      }
    }
    let e = grid.extents
    for (place, number) in [1, e.x, e.y, e.z, 1, 3, 0].enumerated() {
      put(Int32(number), 4 * place)
    }
    put(Int16(1), 28)
    let columns = [grid.affine.columns.0, grid.affine.columns.1, grid.affine.columns.2]
    for axis in 0..<3 {
      put(Float(grid.spacing[axis]).bitPattern, 30 + 4 * axis)
      for row in 0..<3 {
        put(Float(columns[axis][row] / grid.spacing[axis]).bitPattern, 42 + 12 * axis + 4 * row)
      }
    }
    // MGH's centre is voxel (n/2, n/2, n/2).
    let centre = grid.affine(SIMD3<Double>(e) / 2)
    for row in 0..<3 { put(Float(centre[row]).bitPattern, 78 + 4 * row) }
    for voxel in voxels {
      withUnsafeBytes(of: voxel.bitPattern.bigEndian) { bytes.append(contentsOf: $0) }
    }
    return bytes
  }
}

extension [UInt8] {
  func write(to path: String) throws {
    try Data(self).write(to: URL(fileURLWithPath: path))
  }
}

/// A file's bytes, gzip undone by the system's own program.
func unpacked(_ path: String) throws -> [UInt8] {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/bin/gzip")
  process.arguments = ["-dc", path]
  let pipe = Pipe()
  process.standardOutput = pipe
  try process.run()
  let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
  process.waitUntilExit()
  return [UInt8](data)
}

func fileBytes(_ path: String) throws -> [UInt8] {
  [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
}
