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

  @Option(
    help: ArgumentHelp(
      "Keep the scans that --from-maps draws, and their labels, in this folder.",
      valueName: "folder"))
  var keep: String?

  var contrasts: [SyntheticContrast] { contrast.isEmpty ? SyntheticContrast.allCases : contrast }

  func validate() throws {
    let given = [
      ("contrast", !contrast.isEmpty), ("dilation", dilation != nil),
      ("thinning", thinning != nil), ("reshape", reshape != nil), ("keep", keep != nil),
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

  /// What is written of all drawn scans.
  var kept: [String] {
    fromMaps.flatMap { path in
      contrasts.flatMap { contrast -> [String] in
        let name = name(path, contrast)
        return [kept(name, "scan"), kept(name, "labels")].compactMap { $0 }
      }
    }
  }

  /// Where a drawn scan or its labels are kept, if they are.
  private func kept(_ name: String, _ what: String) -> String? {
    keep.map { ($0 as NSString).appendingPathComponent("\(name)_\(what).nii.gz") }
  }

  private func name(_ path: String, _ contrast: SyntheticContrast) -> String {
    "\(ScanList.name(of: path))_\(contrast.rawValue)"
  }

  /// With noise and tissues that vary by place such that on average over contrasts what reads it without anything
  /// trained is right as often as on real T1 scans.
  func draw(
    _ path: String, _ contrast: SyntheticContrast, _ table: LabelTable, seed: UInt64
  ) throws -> (name: String, scan: SyntheticScan) {
    var change = ShapeChange()
    change.dilation = dilation ?? change.dilation
    change.thinning = thinning ?? change.thinning
    change.reshape = reshape ?? change.reshape
    let map = change.applied(to: try ImageReader.readLabels(path).volume)
    var settings = SyntheticScan.Settings()
    settings.seed = seed
    settings.contrast = contrast
    settings.noise = 0.05
    settings.unevenness = 0.04
    let drawn = SyntheticScan(of: map, table: table, settings: settings)
    let name = name(path, contrast)
    if let scan = kept(name, "scan"), let labels = kept(name, "labels") {
      try drawn.write(scan: scan, labels: labels, description: "segpipe bench accuracy")
    }
    return (name, drawn)
  }
}
