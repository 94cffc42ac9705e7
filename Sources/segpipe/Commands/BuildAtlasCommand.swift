import Anatomy
import ArgumentParser
import Foundation
import Imaging
import Reports

struct BuildAtlasCommand: ConsoleCommand {
  static let configuration = CommandConfiguration(
    commandName: "build-atlas",
    abstract: "Builds an atlas from label maps of any organ.",
    discussion: """
      Aligns the maps by their structures' centres, counts how often each label is seen at each place, \
      refines the alignment smoothly, and writes the frequencies as a BIDS atlas that segment takes \
      with --atlas. Folders give their NIfTI and MGH files. Maps may differ in grid and orientation; \
      at 5,000 of them memory is what it is at 15.

      Examples:
        segpipe build-atlas labels/
        segpipe build-atlas labels/ sub-17.nii.gz --labels organs.tsv --name liver -o liver-atlas
        segpipe build-atlas labels/ --grid 96 96 80 --spacing 2
      """)

  /// Whether mirror images of the maps are counted as well.
  enum Mirroring: String, CaseIterable, ExpressibleByArgument {
    case auto, yes, no

    var choice: Bool? {
      switch self {
      case .auto: nil
      case .yes: true
      case .no: false
      }
    }
  }

  @Argument(
    help: ArgumentHelp("Label maps, or folders that hold them.", valueName: "label maps"))
  var maps: [String]

  @Option(
    help: ArgumentHelp(
      "Workspace whose atlas this becomes. Default: segpipe-work.", valueName: "folder"))
  var workspace: String?

  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "Folder for the atlas. Default: atlas in the workspace.", valueName: "folder"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      """
      Label table. Default: the built-in one where the maps are of heads and hold nothing else, else \
      one made from their values.
      """, valueName: "table"))
  var labels: String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Extents of the atlas grid. Default: 160 192 224 for heads, else the first map's.",
      valueName: "x> <y> <z"))
  var grid: [Int] = []

  @Option(
    help: ArgumentHelp(
      "Voxel size of the atlas grid. Default: 1 for heads, else the first map's.",
      valueName: "mm"))
  var spacing: Double?

  @Option(help: ArgumentHelp("Name of the atlas: letters and digits.", valueName: "name"))
  var name = "custom"

  @Option(
    help: ArgumentHelp("Standard deviation of the smoothing of frequencies.", valueName: "mm"))
  var smoothing = AtlasBuilder.Settings().smoothing

  @Option(
    help: ArgumentHelp("Rounds of smooth alignment to the maps' own mean.", valueName: "N"))
  var refinements = AtlasBuilder.Settings().refinements

  @Option(
    help: """
      Count mirror images too, left and right swapped: auto (where leaving maps out shows that it \
      helps), yes or no. Needs a label table with partners.
      """)
  var mirrored = Mirroring.auto

  @Option(help: ArgumentHelp("Licence of the atlas, for its description.", valueName: "text"))
  var license = "not stated"

  @OptionGroup var reading: ReadingOptions
  @OptionGroup var outputs: OutputOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard !maps.isEmpty else { throw ValidationError("Name label maps, or folders of them.") }
    guard workspace == nil || output == nil else {
      throw ValidationError("--workspace and --output exclude each other.")
    }
    guard grid.isEmpty || (grid.count == 3 && grid.allSatisfy { (8...1024).contains($0) }) else {
      throw ValidationError("--grid takes three extents from 8 to 1024.")
    }
    if let spacing, !(spacing >= 0.05 && spacing <= 20) {
      throw ValidationError("--spacing is \(spacing); it must lie from 0.05 to 20 mm.")
    }
    guard !name.isEmpty, name.utf8.count <= 64,
      name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) })
    else {
      throw ValidationError("--name is '\(name)'; it takes letters and digits, at most 64.")
    }
    guard smoothing >= 0, smoothing <= 20 else {
      throw ValidationError("--smoothing is \(smoothing); it must lie from 0 to 20 mm.")
    }
    guard (0...10).contains(refinements) else {
      throw ValidationError("--refinements is \(refinements); it must lie from 0 to 10.")
    }
  }

  func perform(_ console: Console) throws {
    let folder = output ?? (workspace ?? "segpipe-work") + "/atlas"
    try AtlasFolder(folder).check(name: name, overwrite: outputs.overwrite)
    let table = try labels.map { try LabelTable.read($0) }
    if mirrored == .yes, let table, !table.hasPartners {
      throw ValidationError("--mirrored yes needs partners, and \(labels ?? "") names none.")
    }
    let files = try LabelMapFiles(maps)
    tell(of: files, console)

    let progress = console.progress("building the atlas")
    let (atlas, reports) = try request(files, table, progress, console).build()
    let report = MapsReport(reports)
    try AtlasFiles.write(
      atlas, to: folder, license: license, generator: "segpipe \(Version.current)",
      maps: DelimitedText.tsv.encoded(report.rows),
      progress: { progress.update(0.97 + 0.03 * Double($0) / Double($1)) })
    if output == nil { try WorkspaceMaps(workspace ?? "segpipe-work").write(files.paths) }
    progress.finish()
    console.detail(report.text)
    for warning in report.warnings { console.warn(warning) }
    let e = atlas.prior.grid.extents
    console.note(
      "\(folder): atlas '\(atlas.name)' of \(atlas.origin.maps) label maps, "
        + "\(atlas.prior.table.count - 1) structures on \(e.x)x\(e.y)x\(e.z) voxels, "
        + "mirror images \(atlas.origin.mirrored ? "counted" : "not counted")")
  }

  private func tell(of files: LabelMapFiles, _ console: Console) {
    for entry in files.repeated {
      console.warn("\(entry.path): the same file as \(entry.used); counted once")
    }
    if files.ignored > 0 {
      console.note("\(files.ignored) other entries of the folders ignored")
    }
  }

  private func request(
    _ files: LabelMapFiles, _ table: LabelTable?, _ progress: Progress, _ console: Console
  ) -> AtlasRequest {
    var shown: Set<String> = []
    let options = reading.options
    var request = AtlasRequest(paths: files.paths) { path in
      let image = try ImageReader.readLabels(path, options)
      if shown.insert(path).inserted { console.show(image.findings, of: path) }
      return image.volume
    }
    request.table = table
    // A missing built-in atlas is no obstacle: a table is made then.
    request.head = try? LabelTable.read(AtlasLocator().folder(of: "head") + "/labels.tsv")
    request.extents = grid.isEmpty ? nil : SIMD3(grid[0], grid[1], grid[2])
    request.spacing = spacing
    let machine = Machine.current()
    request.mostBytes = [machine.memoryLimit, machine.memoryAvailable].compactMap { $0 }.min()
    request.settings.name = name
    request.settings.smoothing = smoothing
    request.settings.refinements = refinements
    request.settings.mirrored = mirrored.choice
    request.chose = { try Self.tell(of: $0, asked: mirrored, console) }
    var stage = ""
    request.progress = { name, fraction in
      if name != stage { console.detail(name) }
      stage = name
      progress.update(0.97 * fraction)
    }
    return request
  }

  private static func tell(
    of choice: AtlasTable, asked mirrored: Mirroring, _ console: Console
  ) throws {
    switch choice.origin {
    case .given: break
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
    if mirrored == .yes, !choice.table.hasPartners {
      throw ValidationError(
        "--mirrored yes needs a label table with partners; name one with --labels.")
    }
  }
}
