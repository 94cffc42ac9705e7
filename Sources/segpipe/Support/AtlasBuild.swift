import Anatomy
import ArgumentParser
import Files
import Imaging
import Reports

/// Builds an atlas from label maps and writes it: the work that command and stage share.
struct AtlasBuild {
  var table: LabelTable?
  /// The built-in table of heads, if it was found.
  var head: LabelTable?
  var settings = AtlasBuilder.Settings()
  var license = "not stated"
  var reading = ReadOptions()

  /// Whether an atlas may be called so: its files are.
  static func isName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 64
      && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
  }
  static let nameRule = "letters and digits, at most 64"

  /// Where the built-in table of heads is; nil where it is not. A missing built-in atlas is no obstacle: a
  /// table is made then.
  static var headTable: String? {
    (try? AtlasLocator().folder(of: "head")).map { $0 + "/labels.tsv" }
  }

  /// Builds it and writes it to a folder. `advance` is told how much is done, 0...1.
  ///
  /// - Throws: `ImagingError`, `FileError`, `AnatomyError`; `AtlasBuildError`.
  func perform(
    _ files: LabelMapFiles, to folder: String, console: Console,
    advance: @escaping (Double) -> Void
  ) throws -> Atlas {
    for entry in files.repeated {
      console.warn("\(entry.path): the same file as \(entry.used); counted once")
    }
    if files.ignored > 0 {
      console.note("\(files.ignored) other entries of the folders ignored")
    }
    let (atlas, reports) = try request(files, console, advance).build()
    let report = MapsReport(reports, isHead: atlas.isHead)
    try AtlasFiles.write(
      atlas, to: folder, license: license, generator: "segpipe \(Version.current)",
      maps: DelimitedText.tsv.encoded(report.rows),
      progress: { advance(0.97 + 0.03 * Double($0) / Double($1)) })
    console.detail(report.text)
    for warning in report.warnings { console.warn(warning) }
    for faded in atlas.fadedStructures { console.warn(Self.words(faded)) }
    let labelled = atlas.meanVolumeOfInterest
    if labelled < Self.leastVolume {
      console.warn(
        "the structures of a map measure \(Self.cubicMillimetres(labelled)) in all, and scans are looked at in "
          + "blocks of 8 mm3: declare voxels ten times as large, in label maps and scans alike")
    }
    return atlas
  }

  private static func words(_ faded: Atlas.FadedStructure) -> String {
    "\(faded.name): the atlas holds \(cubicMillimetres(faded.held)) of it, label maps "
      + "\(cubicMillimetres(faded.expected)) in the mean; scans will get too little of it"
  }

  private static func cubicMillimetres(_ volume: Double) -> String {
    DecimalText.fixed(volume, volume < 100 ? 2 : 0) + " mm3"
  }

  /// Mean volume of all structures together below which these are too small for what scans are fitted by, mm3.
  private static let leastVolume = 1000.0

  /// What an atlas is, in words.
  static func summary(of atlas: Atlas) -> String {
    let e = atlas.prior.grid.extents
    return "atlas '\(atlas.name)' of \(atlas.origin.maps) label maps, "
      + "\(atlas.prior.table.count - 1) structures on \(e.x)x\(e.y)x\(e.z) voxels, "
      + "mirror images \(atlas.origin.mirrored ? "counted" : "not counted")"
  }

  private func request(
    _ files: LabelMapFiles, _ console: Console, _ advance: @escaping (Double) -> Void
  ) -> AtlasRequest {
    var shown: Set<String> = []
    let options = reading
    var request = AtlasRequest(paths: files.paths) { path in
      let image = try ImageReader.readLabels(path, options)
      if shown.insert(path).inserted { console.show(image.findings, of: path) }
      return image.volume
    }
    (request.table, request.head) = (table, head)
    request.settings = settings
    request.settings.mostBytes = Machine.current().memoryToBeHad
    let isMirrored = settings.mirrored == true
    request.chose = { try Self.tell(of: $0, needsPartners: isMirrored, console) }
    var stage = ""
    request.progress = { name, fraction in
      if name != stage { console.detail(name) }
      stage = name
      advance(0.97 * fraction)
    }
    return request
  }

  private static func tell(
    of choice: AtlasTable, needsPartners: Bool, _ console: Console
  ) throws {
    switch choice.origin {
    case .given:
      if choice.unused > 0 {
        console.note(
          "label table: \(choice.table.count - 1) of its structures are in the maps, and "
            + "\(choice.unused) others are left out")
      }
    case .head: console.note("label table: the built-in one for heads")
    case .made:
      if !choice.foreign.isEmpty {
        let values = choice.foreign.prefix(10).map { "\($0)" }.joined(separator: ", ")
        console.warn(
          "the built-in label table for heads does not know \(values), and is not used; name a "
            + "table with --labels to keep names, tissues and sides")
      }
      console.note(
        "label table: made from the maps' values, \(choice.table.count - 1) structures, each a "
          + "tissue of its own, no partners")
    }
    if needsPartners, !choice.table.hasPartners { throw AtlasBuildError.noPartners }
  }
}

/// Why an atlas cannot be built as asked.
enum AtlasBuildError: Error, Equatable {
  /// Mirror images are asked for, and the table does not say which structures are each other's sides.
  case noPartners
}

extension AtlasBuildError: Diagnosable {
  var diagnosis: Diagnosis {
    Diagnosis(
      "mirror images need a label table with partners", hint: "Name one with labels.",
      status: .usage)
  }
}
