import Foundation

/// Where a file is: in the workspace, which may be moved, or elsewhere.
package enum Location: Codable, Hashable, Sendable {
  /// Relative to the workspace's folder.
  case workspace(String)
  /// Absolute, or relative to the current folder.
  case outside(String)

  /// As it is given.
  var path: String {
    switch self {
    case .workspace(let path), .outside(let path): path
    }
  }
}

/// What a stage reads.
package struct StageInput: Codable, Equatable, Sendable {
  /// What it is to the stage, such as `scan`; the record knows it by this name, not by its path.
  package let name: String
  package let location: Location
  /// Whether every file of a folder is read, but Markdown.
  package let isFolder: Bool
  /// Whether the stage makes do without it: a stage that made none, or failed, does not block this one.
  package let isOptional: Bool

  package init(
    _ name: String, _ location: Location, isFolder: Bool = false, isOptional: Bool = false
  ) {
    (self.name, self.location) = (name, location)
    (self.isFolder, self.isOptional) = (isFolder, isOptional)
  }
}

/// What a stage writes.
package struct StageOutput: Codable, Equatable, Sendable {
  /// Relative to the workspace's folder.
  package let path: String
  /// Whether it is a folder of files whose names only the work decides.
  package let isFolder: Bool

  package init(_ path: String, isFolder: Bool = false) {
    (self.path, self.isFolder) = (path, isFolder)
  }
}

/// A setting that the outputs depend on.
package struct StageParameter: Codable, Equatable, Sendable {
  package let name: String
  package let value: JSONValue

  package init(_ name: String, _ value: JSONValue) { (self.name, self.value) = (name, value) }
}

/// Everything about a stage but the work itself.
package struct StagePlan: Codable, Equatable, Sendable {
  /// Name in the workspace: the definition's stage, and for one of many a slash and its own name.
  package let id: String
  /// Name of the kind of work, such as `segment`.
  package let name: String
  /// Raised when the same inputs give other outputs.
  package let version: Int
  package var parameters: [StageParameter] = []
  package var inputs: [StageInput] = []
  package var outputs: [StageOutput] = []
  /// Place among the stages that can be shared out to shards; nil where each shard needs it.
  package var item: Int?

  package init(id: String, name: String, version: Int) {
    (self.id, self.name, self.version) = (id, name, version)
  }

  /// The definition's stage that this one is, or is a part of.
  package var group: String { String(id.prefix { $0 != "/" }) }

  /// Whether it gathers what other stages could make; left to `collect` where work is shared out.
  package var gathers: Bool { inputs.contains(where: \.isOptional) }
}

/// A stage and its work.
package struct Stage {
  package let plan: StagePlan
  /// Whether a file that lies where an output belongs, and that no record of the stage names, may be replaced.
  package var mayReplace: (_ path: String) -> Bool = { _ in false }
  /// Does the work.
  package let work: (Workplace) throws -> Void

  package init(_ plan: StagePlan, work: @escaping (Workplace) throws -> Void) {
    (self.plan, self.work) = (plan, work)
  }

  /// - Throws: `PipelineError.foreignOutput` for a file that is there and may not be replaced.
  func checkReplaceable(_ path: String) throws {
    guard !FileManager.default.fileExists(atPath: path) || mayReplace(path) else {
      throw PipelineError.foreignOutput(path: path)
    }
  }
}

/// Where a stage's work reads and writes.
package struct Workplace {
  /// Paths of inputs by name; optional ones that are not there are missing.
  let inputs: [String: String]
  /// The folder that stands for the workspace's while the stage runs.
  let staging: String
  /// A folder, made by whoever needs it, that outlives a stage which is stopped: another run of the same
  /// stage with the same inputs and parameters finds it again. It goes when the stage is done.
  package let checkpoints: String

  /// Where to read an input; nil for an optional one that is not there.
  package func input(_ name: String) -> String? { inputs[name] }

  /// Where to write an output, given by its path in the workspace. Its folder is there.
  package func output(_ path: String) -> String { staging + "/" + path }
}
