import ArgumentParser
import Foundation
import Imaging
import Reports

struct InspectCommand: ConsoleCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Says what an image file is, and everything that is doubtful about it.",
    discussion: """
      Reads the whole file: header, container and voxels. What would refuse a scan is a warning where \
      every value is a whole number from 0, as in label maps. Ends with 65 when any file would be \
      refused, or the highest exit code of all files.

      Examples:
        segpipe inspect scan.nii.gz
        segpipe inspect --json sub-*/anat/*.nii.gz
      """)

  @Argument(help: ArgumentHelp("Image files.", valueName: "file"))
  var files: [String]

  @Flag(help: "Write a JSON array, an object per file.")
  var json = false

  @OptionGroup var reading: ReadingOptions
  @OptionGroup var common: CommonOptions

  func perform(_ console: Console) throws {
    var worst: Int32 = 0
    var reports: [InspectionReport] = []
    for file in files {
      let report = InspectionReport(ImageReader.inspect(file, reading.options))
      worst = max(worst, report.exitCode)
      if json { reports.append(report) } else { try console.output(report.text) }
    }
    if json { try console.output(try InspectionReport.json(reports)) }
    if worst > 0 { throw ExitCode(worst) }
  }
}
