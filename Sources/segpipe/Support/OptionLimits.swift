import Anatomy
import ArgumentParser

/// What options of commands and keys of definitions may be: the same, so that a run can be written either way.
enum OptionLimits {
  /// Extents of an atlas grid, voxels.
  static let extent = AtlasGrid.sizes
  /// Voxel size of an atlas grid, mm.
  static let spacing = 0.05...20.0
  /// Standard deviation of the smoothing of an atlas, mm.
  static let smoothing = 0.0...20.0
  /// Rounds of smooth alignment.
  static let alignments = 0...10

  /// Steps of a training, and of what is done every so many.
  static let steps = 1...100_000_000
  /// Below, weights of 32 bits hardly move.
  static let learningRate = 1e-9...1.0
  static let augmentation = 0.0...4.0
  /// Above, squares of gradients may be beyond 32 bits.
  static let beta = 0.0...1e6
  static let latentSize = PriorSettings.latentSizes
  static let tiles = 1...10_000

  /// Samples of a latent; of an anatomy, each takes as much memory as an atlas.
  static let samples = 1...64
  static let refinements = 0...1000
  /// Whole numbers that definitions, records and other readers of JSON keep exactly.
  static let seed = 0...(1 << 53) - 1

  static func isGrid(_ extents: [Int]) -> Bool {
    extents.count == 3 && extents.allSatisfy(extent.contains)
  }

  static var gridRule: String {
    "three extents from \(extent.lowerBound) to \(extent.upperBound)"
  }
}

extension ClosedRange where Bound: LosslessStringConvertible {
  /// Throws `ValidationError` for an option that is given and beyond the range.
  func check(_ option: String, _ value: Bound?, unit: String? = nil) throws {
    guard let value, !contains(value) else { return }
    let after = unit.map { " " + $0 } ?? ""
    throw ValidationError(
      "\(option) is \(value); it must be \(lowerBound) to \(upperBound)\(after).")
  }
}

extension ClosedRange<Int> {
  /// The same of an option that is any whole number from 0 on.
  func check(_ option: String, _ value: UInt64) throws {
    guard !contains(Int(clamping: value)) else { return }
    throw ValidationError("\(option) is \(value); it must be \(lowerBound) to \(upperBound).")
  }
}
