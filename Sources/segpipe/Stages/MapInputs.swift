import Anatomy
import Pipelines

/// The label maps that a stage learns from.
struct MapInputs {
  let paths: [String]
  let inputs: [StageInput]

  /// From the key `maps`, less those of some names.
  ///
  /// - Throws: what `LabelMapFiles` throws, `AnatomyError.unknownMaps` for names that no map has.
  init(_ request: StageRequest, without names: [String] = []) throws {
    let given = request.places("maps").map { request.workspace.path(of: $0) }
    let all = try LabelMapFiles(given).paths
    let known = all.map { LabelMapFiles.name(of: $0) }
    let unknown = names.filter { !known.contains($0) }
    guard unknown.isEmpty else { throw AnatomyError.unknownMaps(names: unknown, known: known) }
    paths = all.filter { !names.contains(LabelMapFiles.name(of: $0)) }
    inputs =
      paths.map { StageInput("maps/" + LabelMapFiles.name(of: $0), .outside($0)) }
      + paths.compactMap { path in
        ScanFiles.voxels(of: path).map {
          StageInput("voxels/" + LabelMapFiles.name(of: path), .outside($0))
        }
      }
  }

  /// Names of the maps that a page shows: those preferred, else the first ones.
  ///
  /// - Throws: `AnatomyError.unknownMaps` for names that no map has.
  func shown(preferring names: [String], most: Int) throws -> [String] {
    let known = paths.map { LabelMapFiles.name(of: $0) }
    let unknown = names.filter { !known.contains($0) }
    guard unknown.isEmpty else { throw AnatomyError.unknownMaps(names: unknown, known: known) }
    return names.isEmpty ? Array(known.prefix(most)) : names
  }

  /// The files of some maps, by name.
  func inputs(of names: [String]) -> [StageInput] {
    inputs.filter { input in
      names.contains { input.name == "maps/" + $0 || input.name == "voxels/" + $0 }
    }
  }

  /// Names in one text, with spaces or commas between them.
  static func names(_ text: String?) -> [String] {
    (text ?? "").split { $0 == " " || $0 == "," }.map(String.init)
  }
}
