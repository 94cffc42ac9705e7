import ArgumentParser

@main
struct Segpipe: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "segpipe",
    abstract: "Segments medical scans with anatomy learned from label maps alone.",
    version: "0.1.0",
    subcommands: [])
}
