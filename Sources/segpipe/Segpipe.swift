import ArgumentParser
import Reports

@main
struct Segpipe: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "segpipe",
    abstract: "Segments medical scans with anatomy learned from label maps alone.",
    discussion: """
      Examples:
        segpipe demo
        segpipe segment scan.nii.gz -o segmentation.nii.gz --qc look.png
        segpipe build-atlas labels/
        segpipe evaluate segmentation.nii.gz reference.nii.gz
        segpipe run pipelines/segment-study.yaml --set scans=scans/

      Exit codes: 0 success, 1 internal error, 16 to 18 by bids, 64 usage, 65 bad data, 66 no input, 73 cannot create \
      output, 74 input/output error, 75 temporary failure, 130 and 143 stopped by a signal.
      Shell completions: segpipe --generate-completion-script bash|zsh|fish
      """,
    version: Version.current,
    subcommands: [
      SegmentCommand.self, BuildAtlasCommand.self, TrainPriorCommand.self,
      PretrainEncoderCommand.self, TrainSegmenterCommand.self, TrainContextCommand.self,
      ReconstructCommand.self,
      DecodeCommand.self, SampleCommand.self, InterpolateCommand.self, ConformCommand.self,
      InspectCommand.self, EvaluateCommand.self, LabelsCommand.self, RunCommand.self,
      StatusCommand.self, CollectCommand.self, BIDSCommand.self, DemoCommand.self,
      BenchCommand.self,
      DoctorCommand.self,
    ])

  static func main() async {
    Heap.prepare()
    StandardStreams.prepare()
    Interruption.listen()
    let arguments = Array(CommandLine.arguments.dropFirst())
    do {
      try UnreadableArgument.check()
      // ArgumentParser answers --version by itself, and with the number alone.
      if Set(arguments) == ["--version", "--json"] {
        try Console().output(try VersionReport.current().json())
        return
      }
      // Without the arguments that the command cannot do without.
      if arguments == [BIDSCommand._commandName, BoutiquesDescriptor.option] {
        try Console().output(try BoutiquesDescriptor.json())
        return
      }
      let commands = configuration.subcommands.map { $0._commandName }
      try CommandSuggestion.check(arguments, commands: commands)
    } catch {
      let diagnosis = Diagnosis(of: error)
      Console().report(diagnosis)
      exit(withError: ExitCode(diagnosis.status.rawValue))
    }
    await main(nil)
  }
}
