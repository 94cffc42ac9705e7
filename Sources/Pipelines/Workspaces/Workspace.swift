import Files
import Foundation

/// The folder that a pipeline's stages write to.
package struct Workspace: Sendable {
  package let root: String

  package init(_ root: String) {
    self.root = root.count > 1 && root.hasSuffix("/") ? String(root.dropLast()) : root
  }

  /// The folder of what is not for people.
  var state: String { root + "/.segpipe" }
  package var plan: String { state + "/plan.json" }
  var log: String { state + "/log.jsonl" }

  func record(_ id: String) -> String { "\(state)/records/\(id).json" }
  func lock(_ id: String) -> String { "\(state)/locks/\(id).lock" }
  func staging(_ id: String) -> String { "\(stagingFolder)/\(id)\(Self.stagingEnding)" }
  private var stagingFolder: String { state + "/staging" }
  private static let stagingEnding = ".stage"

  /// Where the note of a stage's failure is, while there is one: a place that other stages may read.
  package static func failure(of id: String) -> Location {
    .workspace(".segpipe/failures/\(id).json")
  }

  /// The stages of a group that are done or were, by id, in order.
  package func recorded(_ group: String) -> [String] {
    ((try? Folder.names(in: "\(state)/records/\(group)")) ?? []).filter { $0.hasSuffix(".json") }
      .map { "\(group)/\($0.dropLast(".json".count))" }
  }

  /// A path below the workspace.
  package func path(_ relative: String) -> String { "\(root)/\(relative)" }

  package func path(of location: Location) -> String {
    switch location {
    case .workspace(let relative): path(relative)
    case .outside(let path): path
    }
  }

  /// The folder of a stage's checkpoints, by what they follow from.
  func checkpoints(_ plan: StagePlan, inputs: [Record.Entry]) throws -> String {
    struct Identity: Encodable {
      let stage: String
      let version: Int
      let parameters: [StageParameter]
      let inputs: [[String?]]
    }
    let identity = Identity(
      stage: plan.name, version: plan.version, parameters: plan.parameters,
      inputs: inputs.map { [$0.name, $0.sha256] })
    var hash = SHA256()
    try JSONBytes.encode(identity).withUnsafeBytes { hash.update($0) }
    return "\(state)/checkpoints/\(plan.id)-\(hash.hexadecimal.prefix(16))"
  }

  /// Removes the checkpoints of a stage, whatever they follow from.
  func removeCheckpoints(of id: String) {
    let stem = "\(state)/checkpoints/\(id)-"
    let folder = AtomicFile.folder(of: stem)
    let start = stem.dropFirst(folder.count + 1)
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    where name.hasPrefix(start) && name.dropFirst(start.count).count == 16 {
      try? FileManager.default.removeItem(atPath: folder + "/" + name)
    }
  }

  /// Removes what stopped runs left half-written, unless somebody works on it.
  func sweep() {
    guard let walk = FileManager.default.enumerator(atPath: stagingFolder) else { return }
    var found: [String] = []
    while let path = walk.nextObject() as? String {
      guard path.hasSuffix(Self.stagingEnding) else { continue }
      walk.skipDescendants()
      found.append(String(path.dropLast(Self.stagingEnding.count)))
    }
    for id in found {
      guard case .taken(let lock, _)? = try? StageLock.acquire(lock(id)) else { continue }
      try? FileManager.default.removeItem(atPath: staging(id))
      lock.release()
    }
  }

  /// Replaces a small file as a whole, by way of a folder that `sweep` knows, if nobody else is at it.
  ///
  /// - Throws: `FileError`.
  func replace(_ path: String, with bytes: [UInt8], lockedAs id: String) throws {
    guard case .taken(let lock, _) = try StageLock.acquire(lock(id)) else { return }
    defer { lock.release() }
    defer { try? FileManager.default.removeItem(atPath: staging(id)) }
    try Folder.make(staging(id))
    try Folder.make(AtomicFile.folder(of: path))
    try AtomicFile.write(bytes, to: staging(id) + "/file")
    try Publishing.move(staging(id) + "/file", to: path)
    try Publishing.sync([AtomicFile.folder(of: path)])
  }

  /// Makes the workspace. Where the folder was none so far, files that lie where outputs belong must be
  /// replaceable.
  ///
  /// - Throws: `FileError`, `PipelineError.foreignOutput`.
  func prepare(for stages: [Stage]) throws {
    if !FileManager.default.fileExists(atPath: state) {
      for stage in stages {
        for output in stage.plan.outputs {
          let path = path(output.path)
          let files = output.isFolder ? try? Folder.files(in: path) : nil
          let there = files?.map { path + "/" + $0 } ?? [path]
          for file in there { try stage.checkReplaceable(file) }
        }
      }
    }
    try Folder.make(state)
    guard access(state, W_OK | X_OK) == 0 else {
      throw FileError.cannotCreate(path: state, code: errno)
    }
  }
}
