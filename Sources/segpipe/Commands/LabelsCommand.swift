import ArgumentParser
import Files
import Imaging
import Reports

struct LabelsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "labels", abstract: "Works with label tables.", subcommands: [Convert.self])

  struct Convert: ConsoleCommand {
    static let configuration = CommandConfiguration(
      abstract: "Converts a label table to another format.",
      discussion: """
        Reads TSV (BIDS's columns and group, partner, sources), FreeSurfer, FastSurfer, ITK-SNAP and \
        3D Slicer tables, told apart by their content; writes all but FastSurfer's. Only TSV keeps \
        everything; the others keep values, names and colours.

        Examples:
          segpipe labels convert FreeSurferColorLUT.txt labels.tsv
          segpipe labels convert labels.tsv snap.label
          segpipe labels convert labels.tsv table.txt --format itksnap
        """)

    @Argument(help: ArgumentHelp("The table to read.", valueName: "input"))
    var input: String

    @Argument(help: ArgumentHelp("The table to write.", valueName: "output"))
    var output: String

    @Option(
      help: """
        Format to write. Default: by extension; .tsv, .txt and .lut (freesurfer), .label and .lbl \
        (itksnap), .ctbl (slicer).
        """)
    var format: LabelTableFormat?

    @OptionGroup var outputs: OutputOptions
    @OptionGroup var common: CommonOptions

    func perform(_ console: Console) throws {
      guard let format = format ?? LabelTableFormat(extensionOf: output) else {
        throw ValidationError("'\(output)' has no known extension; name the format with --format.")
      }
      try OutputGuard.check(
        output, overwrite: outputs.overwrite, inputs: [input], mark: LabelTable.mark(of: format))
      let table = try LabelTable.read(input)
      try AtomicFile.write(try table.encoded(as: format), to: output)
      console.note("\(table.count) labels in \(table.groups.count) tissue groups: \(output)")
    }
  }
}

extension LabelTableFormat: ExpressibleByArgument {
  /// From what follows `--format`: formats that can be written.
  public init?(argument: String) {
    guard let format = LabelTableFormat(rawValue: argument.lowercased()),
      Self.writable.contains(format)
    else { return nil }
    self = format
  }

  /// What `--format` may be followed by.
  public static var allValueStrings: [String] { writable.map(\.rawValue) }
}
