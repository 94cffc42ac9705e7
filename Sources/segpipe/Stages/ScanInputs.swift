import Pipelines

/// The scans that a stage's key `scans` stands for.
struct ScanInputs {
  /// By name: the order in which they were given is no part of what is asked.
  let named: [(name: String, path: String)]

  /// Files, folders, and text files (.txt, .list) of one path a line.
  ///
  /// - Throws: what `ScanList` throws.
  init(_ request: StageRequest) throws {
    let given = request.places("scans").map { request.workspace.path(of: $0) }
    var paths: [String] = []
    for path in given {
      let isList = [".txt", ".list"].contains { path.lowercased().hasSuffix($0) }
      paths += try isList ? ScanList([], list: path).paths : ScanList([path], list: nil).paths
    }
    named = paths.map { (ScanList.name(of: $0), $0) }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }
  }

  /// Every file of them, for a stage that reads them all.
  var inputs: [StageInput] { inputs(of: named.map(\.name)) }

  /// The files of some scans, by name.
  func inputs(of names: [String]) -> [StageInput] {
    named.filter { names.contains($0.name) }.flatMap { name, path in
      [StageInput("scans/" + name, .outside(path))]
        + (ScanFiles.voxels(of: path).map { [StageInput("voxels/" + name, .outside($0))] } ?? [])
    }
  }
}
