import Anatomy
import ArgumentParser
import Foundation
import Imaging

/// Scans that a benchmark draws from label maps, whose anatomy is changed first.
struct DrawnScanOptions: ParsableArguments {
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Label maps: ventricles grown, cortex thinned, head reshaped, and scans drawn from them.",
      valueName: "label maps"))
  var fromMaps: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Scans that --from-maps draws of each map. (default: one of each)", valueName: "contrasts"))
  var contrast: [SyntheticContrast] = []

  @Option(
    help: ArgumentHelp(
      "How far --from-maps grows ventricles, in mm. (default: \(ShapeChange().dilation))",
      valueName: "mm"))
  var dilation: Double?

  @Option(
    help: ArgumentHelp(
      "How much of the cortex beside fluid --from-maps wears away, in mm. (default: \(ShapeChange().thinning))",
      valueName: "mm"))
  var thinning: Double?

  @Option(
    help: ArgumentHelp(
      "How much --from-maps reshapes the head: 0 not at all, 1 as in the README. (default: \(ShapeChange().reshape))",
      valueName: "factor"))
  var reshape: Double?

  var contrasts: [SyntheticContrast] { contrast.isEmpty ? SyntheticContrast.allCases : contrast }

  func validate() throws {
    let given = [
      ("contrast", !contrast.isEmpty), ("dilation", dilation != nil),
      ("thinning", thinning != nil), ("reshape", reshape != nil),
    ]
    if fromMaps.isEmpty, let (name, _) = given.first(where: \.1) {
      throw ValidationError("--\(name) needs --from-maps.")
    }
    for (name, value, most) in [
      ("dilation", dilation, 20.0), ("thinning", thinning, 20), ("reshape", reshape, 3),
    ] {
      if let value, !(0...most).contains(value) {
        throw ValidationError("--\(name) is \(value); it must be 0 to \(most).")
      }
    }
  }

  /// What all scans that are drawn are called.
  var names: [String] { fromMaps.flatMap { path in contrasts.map { name(path, $0) } } }

  private func name(_ path: String, _ contrast: SyntheticContrast) -> String {
    "\(ScanList.name(of: path))_\(contrast.rawValue)"
  }

  /// With noise and tissues that vary by place such that on average over contrasts what reads it without anything
  /// trained is right as often as on real T1 scans.
  func draw(
    _ path: String, _ contrast: SyntheticContrast, _ table: LabelTable, seed: UInt64,
    reading: ReadOptions
  ) throws -> LabelledScan {
    var change = ShapeChange()
    change.dilation = dilation ?? change.dilation
    change.thinning = thinning ?? change.thinning
    change.reshape = reshape ?? change.reshape
    let map = change.applied(to: try ImageReader.readLabels(path, reading).volume)
    var settings = SyntheticScan.Settings()
    settings.seed = seed
    settings.contrast = contrast
    settings.noise = 0.05
    settings.unevenness = 0.04
    let drawn = SyntheticScan(of: map, table: table, settings: settings)
    return LabelledScan(name: name(path, contrast), scan: drawn.scan, labels: drawn.truth)
  }
}
