import Anatomy
import Foundation
import Imaging

/// A workspace of no head: label maps, their atlas of 32x32x32 voxels, and a prior trained on them for
/// some steps. Made at first use, and left for the system's cleaning.
enum TinyPrior {
  static let workspace: String = {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("segpipe-prior-\(ProcessInfo.processInfo.processIdentifier)").path
    do {
      try FileManager.default.createDirectory(
        atPath: folder + "/maps", withIntermediateDirectories: true)
      for subject in 0..<4 {
        try write(subject, to: folder + "/maps/s\(subject).nii.gz")
      }
      let built = try Program.run(
        "build-atlas", folder + "/maps", "--workspace", folder, "--name", "tiny", "--grid", "32",
        "32", "32", "--spacing", "4", "--refinements", "0")
      guard built.status == 0 else { return "no atlas: \(built.errors)" }
      let trained = try Program.run(["train-prior", "--workspace", folder] + training)
      return trained.status == 0 ? folder : "no prior: \(trained.errors)"
    } catch {
      return "no workspace: \(error)"
    }
  }()

  /// Enough to write some checkpoints and reports, and to tell one subject from another.
  static let training = [
    "--steps", "60", "--report-every", "25", "--checkpoint-every", "2", "--threads", "2",
    "--learning-rate", "0.003", "--beta", "0.05",
  ]

  static var prior: String { workspace + "/prior/prior.safetensors" }

  /// 36x40x30 voxels, not along the axes of the world.
  static let grid = Grid(
    extents: SIMD3(36, 40, 30),
    affine: Affine(rows: [
      [-3.4 * cos(0.1), 3.2 * sin(0.1), 0, 60], [3.4 * sin(0.1), 3.2 * cos(0.1), 0, -58],
      [0, 0, 3.9, -52],
    ]))

  /// A subject's anatomy: a large structure with three smaller ones in it, of varying size and place.
  static func map(_ subject: Int) -> Volume<Int32> {
    func vary(_ n: Int) -> Double { sin(Double(5 * subject + 3 * n + 1)) }
    let parts: [(label: Int32, centre: SIMD3<Double>, radii: SIMD3<Double>)] = [
      (2, SIMD3(20, 10 + 2 * vary(0), -8), SIMD3(14, 10, 16) * (1 + 0.1 * vary(1))),
      (3, SIMD3(-18, 12, 6 + 2 * vary(2)), SIMD3(12, 14, 10) * (1 + 0.1 * vary(3))),
      (4, SIMD3(vary(4), -20, 4), SIMD3(12, 9, 12) * (1 + 0.1 * vary(5))),
      (1, .zero, SIMD3(48, 44, 42) * (1 + 0.04 * vary(6))),
    ]
    var voxels: [Int32] = []
    for z in 0..<grid.extents.z {
      for y in 0..<grid.extents.y {
        for x in 0..<grid.extents.x {
          let p = grid.affine(SIMD3(Double(x), Double(y), Double(z)))
          let part = parts.first { part in
            let d = (p - part.centre) / part.radii
            return (d * d).sum() < 1
          }
          voxels.append(part?.label ?? 0)
        }
      }
    }
    return Volume(grid: grid, voxels: voxels)
  }

  static func write(_ subject: Int, to path: String) throws {
    try ImageWriter.write(labels: map(subject), like: nil, to: path, description: "test")
  }

  /// A scan of a subject: intensities by label, noise, padding outside.
  static func writeScan(_ subject: Int, to path: String) throws {
    let map = Self.map(subject)
    var state: UInt32 = 7
    let voxels = map.voxels.map { label -> Float in
      state = state &* 1_664_525 &+ 1_013_904_223
      let noise = Float(state >> 16) / 65536 - 0.5
      return label == 0 ? 0 : 100 * Float(label) + 40 * noise
    }
    try ImageWriter.write(
      scan: Volume(grid: map.grid, voxels: voxels), like: nil, to: path, description: "test")
  }
}
