import ArgumentParser
import Files
import Foundation
import Reports

/// The command line of `segpipe bids` as Boutiques describes tools (schema 0.5), with the names that the BIDS
/// execution specification gives its arguments. Made from the options that the help is made from.
package struct BoutiquesDescriptor {
  /// What asks for it.
  package static let option = "--bids-exec-spec"

  private struct Descriptor: Encodable {
    let name = "segpipe"
    let description: String
    let toolVersion = Version.current
    let schemaVersion = "0.5"
    let commandLine: String
    let inputs: [Input]
    let outputFiles = [
      Output(
        id: "Derivatives", name: "Derivatives", description: "Label maps, tables and pages.",
        pathTemplate: "[OUTPUTLOCATION]")
    ]
    let errorCodes: [ErrorCode]
    let suggestedResources = Resources(cpuCores: 2, ram: 2)
    let custom = ["BIDSApplicationVersion": "1.0", "BIDSAppSpecVersion": "1.0"]

    enum CodingKeys: String, CodingKey {
      case name, description, inputs, custom
      case toolVersion = "tool-version"
      case schemaVersion = "schema-version"
      case commandLine = "command-line"
      case outputFiles = "output-files"
      case errorCodes = "error-codes"
      case suggestedResources = "suggested-resources"
    }
  }

  private struct Input: Encodable {
    let id: String
    let name: String
    let description: String?
    let type: String
    let valueKey: String
    let optional: Bool
    var list: Bool?
    var flag: String?
    var choices: [String]?

    enum CodingKeys: String, CodingKey {
      case id, name, description, type, optional, list
      case valueKey = "value-key"
      case flag = "command-line-flag"
      case choices = "value-choices"
    }
  }

  private struct Output: Encodable {
    let id: String
    let name: String
    let description: String
    let pathTemplate: String

    enum CodingKeys: String, CodingKey {
      case id, name, description
      case pathTemplate = "path-template"
    }
  }

  private struct ErrorCode: Encodable {
    let code: Int32
    let description: String
  }

  private struct Resources: Encodable {
    let cpuCores: Int
    /// GiB.
    let ram: Int

    enum CodingKeys: String, CodingKey {
      case cpuCores = "cpu-cores"
      case ram
    }
  }

  /// ArgumentParser's description of a command, as far as it is read here.
  private struct Help: Decodable {
    let command: Command

    struct Command: Decodable {
      let arguments: [Argument]
    }

    struct Argument: Decodable {
      let kind: String
      let shouldDisplay: Bool
      let isOptional: Bool
      let isRepeating: Bool
      let valueName: String?
      let preferredName: Name?
      let abstract: String?
      let allValues: [String]?
    }

    struct Name: Decodable {
      let name: String
    }
  }

  /// Identifiers of the specification where they are not those of the options.
  private static let identifiers = [
    "bids_dir": "InputDataset", "output_dir": "OutputLocation", "analysis_level": "AnalysisLevel",
    "version": "ToolVersion",
  ]

  /// The descriptor as JSON.
  package static func json() throws -> String {
    let help = try JSONDecoder().decode(Help.self, from: Data(BIDSCommand._dumpHelp().utf8))
    let inputs = help.command.arguments.filter(\.shouldDisplay).compactMap { input($0) }
    return try JSONBytes.text(
      Descriptor(
        description: BIDSCommand.configuration.abstract,
        commandLine: "segpipe bids " + inputs.map(\.valueKey).joined(separator: " "),
        inputs: inputs,
        errorCodes: ExitStatus.allCases.filter { $0 != .success }.map {
          ErrorCode(code: $0.rawValue, description: $0.meaning)
        }), pretty: true)
  }

  private static func input(_ argument: Help.Argument) -> Input? {
    let isPositional = argument.kind == "positional"
    guard let name = isPositional ? argument.valueName : argument.preferredName?.name,
      "--" + name != option
    else { return nil }
    let words = name.split { $0 == "-" || $0 == "_" }.map(String.init)
    let id = identifiers[name] ?? words.map(\.capitalized).joined()
    return Input(
      id: id, name: words.joined(separator: " "), description: argument.abstract,
      type: type(of: argument), valueKey: "[\(id.uppercased())]", optional: !isPositional,
      list: argument.isRepeating ? true : nil, flag: isPositional ? nil : "--" + name,
      choices: id == "AnalysisLevel" ? BIDSCommand.levels : argument.allValues)
  }

  private static func type(of argument: Help.Argument) -> String {
    switch (argument.kind, argument.valueName) {
    case ("flag", _): "Flag"
    case ("positional", "bids_dir"), ("positional", "output_dir"): "File"
    case (_, "N"): "Number"
    default: "String"
    }
  }
}
