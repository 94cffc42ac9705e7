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
        segpipe build-atlas labels/ sub-17.nii.gz --labels organs.tsv -o liver-atlas
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
      "Extents of the atlas grid. Default: 160 192 224 for heads, else what holds all maps.",
      valueName: "x> <y> <z"))
  var grid: [Int] = []

  @Option(
    help: ArgumentHelp(
      "Voxel size of the atlas grid. Default: 1 for heads, else the maps'.",
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
    guard grid.isEmpty || OptionLimits.isGrid(grid) else {
      throw ValidationError("--grid takes \(OptionLimits.gridRule).")
    }
    try OptionLimits.spacing.check("--spacing", spacing, unit: "mm")
    guard AtlasBuild.isName(name) else {
      throw ValidationError("--name is '\(name)'; it takes \(AtlasBuild.nameRule).")
    }
    try OptionLimits.smoothing.check("--smoothing", smoothing, unit: "mm")
    try OptionLimits.alignments.check("--refinements", refinements)
  }

  func perform(_ console: Console) throws {
    let folder = output ?? (workspace ?? AtlasChoice.commonWorkspace) + "/atlas"
    var build = AtlasBuild()
    build.table = try labels.map { try LabelTable.read($0) }
    if mirrored == .yes, let table = build.table, !table.hasPartners {
      throw ValidationError("--mirrored yes needs partners, and \(labels ?? "") names none.")
    }
    build.head = AtlasBuild.headTable.flatMap { try? LabelTable.read($0) }
    build.settings.extents = grid.isEmpty ? nil : SIMD3(grid[0], grid[1], grid[2])
    build.settings.spacing = spacing
    build.settings.name = name
    build.settings.smoothing = smoothing
    build.settings.refinements = refinements
    build.settings.mirrored = mirrored.choice
    (build.license, build.reading) = (license, reading.options)
    let files = try LabelMapFiles(maps)
    try AtlasFolder(folder).check(name: name, overwrite: outputs.overwrite)
    let progress = console.progress("building the atlas")
    let atlas = try build.perform(files, to: folder, console: console) { progress.update($0) }
    if output == nil {
      try WorkspaceMaps(workspace ?? AtlasChoice.commonWorkspace).write(files.paths)
    }
    progress.finish()
    console.note("\(folder): \(AtlasBuild.summary(of: atlas))")
  }
}
