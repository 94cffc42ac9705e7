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
        --robust the whole method on scans of changed contrast, resolution and age instead; with --from-maps on \
        scans drawn from label maps whose anatomy has been changed, as hard to read as real ones: T1-like, \
        T2-like and of any brightness of any tissue.

        Examples:
          segpipe bench accuracy a.nii.gz a_ref.nii.gz b.nii.gz b_ref.nii.gz -o t.tsv
          segpipe bench accuracy --robust scan.nii.gz reference.nii.gz
          segpipe bench accuracy --from-maps labels/sub-13.nii.gz --atlas of-others
        """)

    @Argument(
      help: ArgumentHelp("Scan and reference, in turn.", valueName: "scan reference"))
    var files: [String] = []

    @Flag(
      help:
        "Inverted, T2-like and PD-like contrast, a coil field, slices of 5 mm, voxels of 0.7 mm, wide ventricles, lesions."
    )
    var robust = false

    @Flag(help: "Measure only what each part that was trained is worth.")
    var priorOnly = false

    @Option(
      name: [.short, .long],
      help: ArgumentHelp("Table of all figures, .tsv or .csv.", valueName: "file"))
    var output: String?

    @Option(help: ArgumentHelp("Picture of the means, .svg.", valueName: "file"))
    var picture: String?

    @OptionGroup var drawn: DrawnScanOptions

    @Option(
      help: ArgumentHelp(
        "Keep the scans that --robust changes or --from-maps draws, and their labels, in this folder.",
        valueName: "folder"))
    var keep: String?

    @OptionGroup(title: "Method") var method: SegmentMethodOptions
    @OptionGroup(title: "Reading scans and references") var reading: ReadingOptions
    @OptionGroup var outputs: OutputOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
      guard files.count % 2 == 0 else {
        throw ValidationError(
          "Files go in pairs, each scan with its reference; \(files.count) given.")
      }
      guard files.isEmpty != drawn.fromMaps.isEmpty else {
        throw ValidationError("Name scans and references, or label maps with --from-maps.")
      }
      if robust && !drawn.fromMaps.isEmpty {
        throw ValidationError("--robust needs scans and references.")
      }
      if keep != nil && !robust && drawn.fromMaps.isEmpty {
        throw ValidationError("--keep needs --robust or --from-maps.")
      }
      let names = scans.map(name)
      if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
        throw ValidationError(
          "Two scans are called '\(twice)', by their files and folders; rename one.")
      }
      try method.refuseAffine()
      if let output, DelimitedText(extensionOf: output) == nil {
        throw ValidationError("--output is '\(output)'; it must end in .tsv or .csv.")
      }
    }

    func perform(_ console: Console) throws {
      for path in [output, picture].compactMap({ $0 }) + namesToKeep.flatMap(paths) {
        try OutputGuard.check(
          path, overwrite: outputs.overwrite, inputs: files + drawn.fromMaps)
      }
      let choice = try method.choice()
      let atlas = try AtlasFiles.read(choice.folder)
      var bench = Bench(
        prior: atlas.prior, learned: try method.learned(choice, atlas, console),
        settings: method.settings(levels: nil), console: console)
      let progress = console.progress("measuring")
      let total = Double(max(1, scans.count + drawn.fromMaps.count))
      for (index, scan) in scans.enumerated() {
        try measure([scan, files[2 * index + 1]], in: &bench)
        progress.update(Double(index + 1) / total)
      }
      for (index, path) in drawn.fromMaps.enumerated() {
        try measureDrawn(path, seed: UInt64(index + 1), in: &bench)
        progress.update(Double(index + 1) / total)
      }
      progress.finish()
      try write(bench.report, console)
    }

    /// A scan, given with its reference, as it is and, where that is asked for, changed.
    private func measure(_ pair: [String], in bench: inout Bench) throws {
      let known = try read(pair[0], pair[1])
      guard robust else {
        let variants =
          priorOnly
          ? SegmenterVariant.trained(bench.learned) : SegmenterVariant.all(bench.learned)
        return try bench.measure(known, of: pair, variants)
      }
      try bench.measure(known, of: pair, [.whole])
      for variant in ScanVariant.allCases {
        guard let changed = variant.applied(to: known, table: bench.prior.table) else {
          bench.console.warn(
            "\(pair[1]): \(variant.rawValue) left out: labels of white matter, cortex or ventricles are missing"
          )
          continue
        }
        try keepIfAsked(changed)
        try bench.measure(changed, of: pair, [.whole], as: (variant.rawValue, known.name))
      }
    }

    /// Scans that are drawn from a label map.
    private func measureDrawn(_ path: String, seed: UInt64, in bench: inout Bench) throws {
      for contrast in drawn.contrasts {
        let known = try drawn.draw(
          path, contrast, bench.prior.table, seed: seed, reading: reading.options)
        try keepIfAsked(known)
        try bench.measure(known, of: [path], SegmenterVariant.trained(bench.learned))
      }
    }

    private func write(_ report: AccuracyReport, _ console: Console) throws {
      if let output, let format = DelimitedText(extensionOf: output) {
        try AtomicFile.write(format.encoded(report.rows), to: output)
      }
      if let picture { try AtomicFile.write(Array(report.svg.utf8), to: picture) }
      try console.output(report.text)
    }

    /// Throws also where the two do not lie on one grid, before anything is measured.
    private func read(_ scan: String, _ reference: String) throws -> LabelledScan {
      let known = LabelledScan(
        name: name(of: scan), scan: try ImageReader.readScan(scan, reading.options).volume,
        labels: try ImageReader.readLabels(reference, reading.options).volume)
      try NamedError.naming([scan, reference]) {
        try LabelComparison.check(known.scan.grid, against: known.labels.grid)
      }
      return known
    }

    private var scans: [String] { stride(from: 0, to: files.count, by: 2).map { files[$0] } }

    /// That of the file, or, where it tells no scans apart, that of its folder.
    private func name(of scan: String) -> String {
      let folder = ((scan as NSString).deletingLastPathComponent as NSString).lastPathComponent
      let name = ScanList.name(of: scan)
      let isShared = scans.count { ScanList.name(of: $0) == name } > 1
      return (name == "scan" || isShared) && !folder.isEmpty ? folder : name
    }

    // MARK: Kept scans

    /// What scans that can be kept are called.
    private var namesToKeep: [String] {
      guard robust else { return drawn.names }
      return scans.flatMap { scan in ScanVariant.allCases.map { $0.name(of: name(of: scan)) } }
    }

    /// Where a scan and its labels are kept, if they are.
    private func paths(_ name: String) -> [String] {
      guard let keep else { return [] }
      return ["scan", "labels"].map {
        (keep as NSString).appendingPathComponent("\(name)_\($0).nii.gz")
      }
    }

    private func keepIfAsked(_ known: LabelledScan) throws {
      let paths = paths(known.name)
      if paths.isEmpty { return }
      try known.write(
        scan: paths[0], labels: paths[1], description: "segpipe bench accuracy")
    }
  }
}

/// Segments scans whose labels are known, and scores what comes of it.
private struct Bench {
  let prior: LocationPrior
  let learned: Learned
  let settings: Segmenter.Settings
  let console: Console
  private(set) var report = AccuracyReport()

  init(prior: LocationPrior, learned: Learned, settings: Segmenter.Settings, console: Console) {
    (self.prior, self.learned) = (prior, learned)
    (self.settings, self.console) = (settings, console)
  }

  /// `files` are what the scan comes from. One that was changed counts as the scan that it was, and in place of a
  /// variant its change is named.
  mutating func measure(
    _ known: LabelledScan, of files: [String], _ variants: [SegmenterVariant],
    as change: (name: String, scan: String)? = nil
  ) throws {
    for variant in variants {
      let (name, scan) = change ?? (variant.name, known.name)
      let segmenter = try variant.segmenter(prior, learned: learned, settings: settings)
      let start = Date()
      let result = try segmenter.segment(
        known.scan, path: files[0],
        trace: { [console] in console.detail("\(scan), \(name): \($0)") })
      let seconds = Date().timeIntervalSince(start)
      let scores = try NamedError.naming(files) {
        try LabelComparison.scores(
          segmentation: result.labels, reference: known.labels, set: .head29)
      }
      report.add(.init(variant: name, scan: scan, scores: scores, seconds: seconds))
    }
  }
}

extension ScanVariant {
  /// What a scan that was changed so is called.
  fileprivate func name(of scan: String) -> String { "\(scan)_\(self)" }

  fileprivate func applied(to known: LabelledScan, table: LabelTable) -> LabelledScan? {
    apply(to: known.scan, reference: known.labels, table: table).map {
      LabelledScan(name: name(of: known.name), scan: $0.scan, labels: $0.reference)
    }
  }
}
