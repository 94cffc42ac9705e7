import Anatomy
import ArgumentParser
import Files
import Foundation
import Imaging
import Reports

extension BenchCommand {
  struct AccuracyCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
      commandName: "accuracy",
      abstract:
        "Measures what each part of the method is worth, by Dice of 29 structures of the head.",
      discussion: """
        The whole method, built up from the location prior part by part, then less each part; with \
        --robust the whole method on scans of changed contrast and resolution instead; with --from-maps on \
        scans drawn from label maps whose anatomy has been changed, as hard to read as real ones: T1-like, \
        T2-like and of any brightness of any tissue.

        Examples:
          segpipe bench accuracy a.nii.gz a_ref.nii.gz b.nii.gz b_ref.nii.gz -o parts.tsv
          segpipe bench accuracy --robust scan.nii.gz reference.nii.gz
          segpipe bench accuracy --from-maps labels/sub-13.nii.gz --atlas atlas-of-others
        """)

    @Argument(
      help: ArgumentHelp("Scan and reference, in turn.", valueName: "scan reference"))
    var files: [String] = []

    @Option(
      parsing: .upToNextOption,
      help: ArgumentHelp(
        "Label maps: ventricles grown, cortex thinned, head reshaped, and scans drawn from them.",
        valueName: "label maps"))
    var fromMaps: [String] = []

    @Option(
      parsing: .upToNextOption,
      help: ArgumentHelp("Scans that --from-maps draws of each map.", valueName: "contrasts"))
    var contrast: [SyntheticContrast] = SyntheticContrast.allCases

    @Option(
      help: ArgumentHelp("How far --from-maps grows ventricles, in mm.", valueName: "mm"))
    var dilation = ShapeChange().dilation

    @Option(
      help: ArgumentHelp(
        "How much of the cortex beside fluid --from-maps wears away, in mm.", valueName: "mm"))
    var thinning = ShapeChange().thinning

    @Option(
      help: ArgumentHelp(
        "How much --from-maps reshapes the head: 0 not at all, 1 as in the README.",
        valueName: "factor"))
    var reshape = ShapeChange().reshape

    @Flag(help: "Inverted and T2-like contrast, slices of 5 mm, voxels of 0.7 mm.")
    var robust = false

    @Flag(help: "Measure only what each part that was trained is worth.")
    var priorOnly = false

    @Option(
      name: [.short, .long],
      help: ArgumentHelp("Table of all figures, .tsv or .csv.", valueName: "file"))
    var output: String?

    @Option(help: ArgumentHelp("Picture of the means, .svg.", valueName: "file"))
    var picture: String?

    @Option(
      help: ArgumentHelp(
        "Keep the scans that --from-maps draws, and their labels, in this folder.",
        valueName: "folder"))
    var keep: String?

    @OptionGroup var method: SegmentMethodOptions
    @OptionGroup var outputs: OutputOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
      guard files.count % 2 == 0 else {
        throw ValidationError("\(files.count) files given; each scan needs its reference.")
      }
      guard files.isEmpty != fromMaps.isEmpty else {
        throw ValidationError("Name scans and references, or label maps with --from-maps.")
      }
      if robust && !fromMaps.isEmpty {
        throw ValidationError("--robust needs scans and references.")
      }
      if keep != nil && fromMaps.isEmpty {
        throw ValidationError("--keep needs --from-maps.")
      }
      for (name, value, most) in [
        ("dilation", dilation, 20), ("thinning", thinning, 20), ("reshape", reshape, 3),
      ] where !(0...Double(most)).contains(value) {
        throw ValidationError("--\(name) is \(value); it must be 0 to \(most).")
      }
      if let output, DelimitedText(extensionOf: output) == nil {
        throw ValidationError("--output is '\(output)'; it must end in .tsv or .csv.")
      }
    }

    /// A scan whose labels are known.
    private struct Known {
      let name: String
      let scan: Volume<Float>
      let reference: Volume<Int32>
    }

    func perform(_ console: Console) throws {
      var written = [output, picture].compactMap { $0 }
      if let keep {
        try FileManager.default.createDirectory(atPath: keep, withIntermediateDirectories: true)
        for path in fromMaps {
          for contrast in contrast {
            let name = Self.name(path, contrast)
            written += [kept(name, "scan"), kept(name, "labels")]
          }
        }
      }
      for path in written {
        try OutputGuard.check(path, overwrite: outputs.overwrite, inputs: files + fromMaps)
      }
      let choice = try AtlasChoice.choose(given: method.atlas, workspace: method.workspace)
      let atlas = try AtlasFiles.read(choice.folder)
      let learned = try method.learned(choice, atlas)
      let progress = console.progress("measuring")
      var report = AccuracyReport()
      let total = Double(max(1, files.count / 2 + fromMaps.count))
      func measure(_ known: Known, _ variants: [SegmenterVariant], as name: String? = nil) throws {
        for variant in variants {
          let segmenter = try variant.segmenter(
            atlas.prior, learned: learned, settings: method.settings(levels: nil))
          let start = Date()
          let result = try segmenter.segment(
            known.scan, path: known.name,
            trace: { console.detail("\(known.name), \(name ?? variant.name): \($0)") })
          let seconds = Date().timeIntervalSince(start)
          let scores = try LabelComparison.scores(
            segmentation: result.labels, reference: known.reference, set: .head29)
          report.add(
            .init(
              variant: name ?? variant.name, scan: known.name, scores: scores, seconds: seconds))
        }
      }
      let trained = SegmenterVariant.trained(learned)
      let all = priorOnly ? trained : SegmenterVariant.all(learned)
      for place in stride(from: 0, to: files.count, by: 2) {
        let known = try read(files[place], files[place + 1])
        if robust {
          try measure(known, [.whole])
          for variant in ScanVariant.allCases {
            let (scan, reference) = variant.apply(
              to: known.scan, reference: known.reference, table: atlas.prior.table)
            try measure(
              Known(name: known.name, scan: scan, reference: reference), [.whole],
              as: variant.rawValue)
          }
        } else {
          try measure(known, all)
        }
        progress.update(Double(place / 2 + 1) / total)
      }
      for (index, path) in fromMaps.enumerated() {
        for contrast in contrast {
          try measure(
            try draw(path, contrast, atlas.prior.table, seed: UInt64(index + 1)), trained)
        }
        progress.update(Double(index + 1) / total)
      }
      progress.finish()
      if let output, let format = DelimitedText(extensionOf: output) {
        try AtomicFile.write(format.encoded(report.rows), to: output)
      }
      if let picture { try AtomicFile.write(Array(report.svg.utf8), to: picture) }
      try console.output(report.text)
    }

    /// Where a drawn scan or its labels are kept.
    private func kept(_ name: String, _ what: String) -> String {
      ((keep ?? "") as NSString).appendingPathComponent("\(name)_\(what).nii.gz")
    }

    private func read(_ scan: String, _ reference: String) throws -> Known {
      let folder = ((scan as NSString).deletingLastPathComponent as NSString).lastPathComponent
      let name = ScanList.name(of: scan)
      return Known(
        name: name == "scan" && !folder.isEmpty ? folder : name,
        scan: try ImageReader.readScan(scan).volume,
        reference: try ImageReader.readLabels(reference).volume)
    }

    private static func name(_ path: String, _ contrast: SyntheticContrast) -> String {
      "\(ScanList.name(of: path))_\(contrast.rawValue)"
    }

    /// With noise and tissues that vary by place such that on average over contrasts what reads it without anything
    /// trained is right as often as on real T1 scans.
    private func draw(
      _ path: String, _ contrast: SyntheticContrast, _ table: LabelTable, seed: UInt64
    ) throws -> Known {
      let change = ShapeChange(dilation: dilation, thinning: thinning, reshape: reshape)
      let map = change.applied(to: try ImageReader.readLabels(path).volume)
      var settings = SyntheticScan.Settings()
      settings.seed = seed
      settings.contrast = contrast
      settings.noise = 0.05
      settings.unevenness = 0.04
      let drawn = SyntheticScan(of: map, table: table, settings: settings)
      let name = Self.name(path, contrast)
      if keep != nil {
        let (scan, labels) = (kept(name, "scan"), kept(name, "labels"))
        try drawn.write(scan: scan, labels: labels, description: "segpipe bench accuracy")
      }
      return Known(name: name, scan: drawn.scan, reference: drawn.truth)
    }
  }
}
