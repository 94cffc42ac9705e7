import Files
import Foundation

/// Does one stage, whose lock is held, from clean beginnings to its record.
struct StageWork {
  let stage: Stage
  let workspace: Workspace
  let check: StageCheck

  private var plan: StagePlan { stage.plan }
  private var staging: String { workspace.staging(plan.id) }

  /// Works, moves the outputs to their places, and commits the record. What fails leaves the previous
  /// outputs and nothing half-written.
  ///
  /// - Throws: what the work throws, `FileError`, `PipelineError.foreignOutput`, `.missingOutput`.
  func perform() throws {
    // Names in a folder are known once it is made; the others before any work is done.
    try checkReplaceable(plan.outputs.filter { !$0.isFolder }.map(\.path))
    try clear()
    defer { try? clear() }
    try Folder.make(staging)
    let inputs = try check.inputs(of: plan)
    let checkpoints = try workspace.checkpoints(plan, inputs: inputs)
    for output in plan.outputs {
      try Folder.make(AtomicFile.folder(of: staging + "/" + output.path))
    }
    try stage.work(
      Workplace(inputs: paths(inputs), staging: staging, checkpoints: checkpoints))
    try checkUnchanged(inputs)
    try publish(inputs)
    workspace.removeCheckpoints(of: plan.id)
  }

  private func clear() throws {
    guard FileManager.default.fileExists(atPath: staging) else { return }
    do {
      try FileManager.default.removeItem(atPath: staging)
    } catch {
      throw FileError.cannotCreate(path: staging, code: EEXIST)
    }
  }

  /// Where inputs that are there are read.
  private func paths(_ entries: [Record.Entry]) -> [String: String] {
    let absent = Set(entries.filter { $0.sha256 == nil }.map(\.name))
    return Dictionary(
      plan.inputs.filter { !absent.contains($0.name) }
        .map { ($0.name, workspace.path(of: $0.location)) }
    ) { first, _ in first }
  }

  /// - Throws: `FileError.changedWhileReading` when an input no longer is what the record will say.
  private func checkUnchanged(_ before: [Record.Entry]) throws {
    let now = try check.inputs(of: plan)
    guard now.count == before.count, zip(now, before).allSatisfy({ $0.hasContent(of: $1) }) else {
      let odd = zip(now, before).first { !$0.hasContent(of: $1) }?.0.name
      let input = plan.inputs.first { odd?.hasPrefix($0.name) ?? true } ?? plan.inputs.first
      throw FileError.changedWhileReading(
        path: input.map { workspace.path(of: $0.location) } ?? plan.id)
    }
  }

  /// The files that the work has written, as paths in the workspace.
  private func written() throws -> [String] {
    try plan.outputs.flatMap { output -> [String] in
      let path = staging + "/" + output.path
      guard output.isFolder else {
        guard FileStamp(of: path) != nil else {
          throw PipelineError.missingOutput(stage: plan.id, path: output.path)
        }
        return [output.path]
      }
      let files = try Folder.files(in: path)
      guard !files.isEmpty else {
        throw PipelineError.missingOutput(stage: plan.id, path: output.path)
      }
      return files.map { output.path + "/" + $0 }
    }
  }

  private func publish(_ inputs: [Record.Entry]) throws {
    let files = try written()
    try checkReplaceable(files)
    let digests = try files.map { try FileDigest(of: staging + "/" + $0).sha256 }
    removeOutdated(except: Set(files))
    var folders: Set<String> = []
    for file in files {
      let path = workspace.path(file)
      try Folder.make(AtomicFile.folder(of: path))
      try Publishing.move(staging + "/" + file, to: path)
      folders.insert(AtomicFile.folder(of: path))
    }
    try Publishing.sync(folders)
    let outputs = try zip(files, digests).map { file, sha256 in
      check.ledger.note(sha256, of: workspace.path(file))
      return Record.Entry(file, try check.ledger.digest(workspace.path(file), recorded: nil))
    }
    let record = workspace.record(plan.id)
    try Folder.make(AtomicFile.folder(of: record))
    let draft = staging + "/record.json"
    try AtomicFile.write(
      try RecordFile.bytes(Record(plan, inputs: inputs, outputs: outputs)), to: draft)
    try Publishing.move(draft, to: record)
    try Publishing.sync([AtomicFile.folder(of: record)])
  }

  /// Files that the record does not name must be replaceable; one that is damaged may have named any.
  ///
  /// - Throws: `PipelineError.foreignOutput`.
  private func checkReplaceable(_ files: [String]) throws {
    var recorded: Set<String> = []
    switch RecordFile.read(workspace.record(plan.id)) {
    case .none: break
    case .damaged: return
    case .record(let old): recorded = Set(old.outputs.map(\.name))
    }
    for file in files where !recorded.contains(file) {
      try stage.checkReplaceable(workspace.path(file))
    }
  }

  /// Removes what this stage made before under other names; a file that is no longer what it made stays.
  private func removeOutdated(except files: Set<String>) {
    guard case .record(let old) = RecordFile.read(workspace.record(plan.id)) else { return }
    for entry in old.outputs where !files.contains(entry.name) {
      let path = workspace.path(entry.name)
      if let digest = try? check.ledger.digest(path, recorded: entry),
        digest.sha256 == entry.sha256
      {
        unlink(path)
      }
    }
  }
}
