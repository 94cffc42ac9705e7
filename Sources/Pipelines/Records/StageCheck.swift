import Files
import Foundation

/// Compares stages with their records.
package struct StageCheck {
  let workspace: Workspace
  let ledger: FileLedger
  /// Whether what a stage makes may be read: not while it is stale. Nor the note of a failure that is past. Asked for
  /// optional inputs alone.
  var isFresh: (Location) -> Bool = { _ in true }

  package init(_ workspace: Workspace, _ ledger: FileLedger) {
    (self.workspace, self.ledger) = (workspace, ledger)
  }

  /// Whether a stage would give what its record says.
  ///
  /// - Throws: `FileError` when an input cannot be read.
  package func verdict(on plan: StagePlan) throws -> Verdict {
    let record: Record
    switch RecordFile.read(workspace.record(plan.id)) {
    case .none: return .redo([.neverDone])
    case .damaged: return .redo([.damagedRecord])
    case .record(let found): record = found
    }
    let inputs = try inputs(of: plan, record)
    let reasons =
      Self.settings(plan, record) + Self.compare(record.inputs, inputs) + lacking(plan, record)
    guard reasons.isEmpty else { return .redo(reasons) }
    var outputs: [Record.Entry] = []
    for entry in record.outputs {
      let path = workspace.path(entry.name)
      guard FileStamp(of: path) != nil else { return .redo([.outputMissing(path: entry.name)]) }
      let now = Record.Entry(entry.name, try ledger.digest(path, recorded: entry))
      guard now.hasContent(of: entry) else { return .redo([.outputChanged(path: entry.name)]) }
      outputs.append(now)
    }
    var refreshed = record
    (refreshed.inputs, refreshed.outputs) = (inputs, outputs)
    return .holds(refreshed: refreshed == record ? nil : refreshed)
  }

  /// Every input as it is now.
  ///
  /// - Throws: `FileError` when one that is needed cannot be read.
  func inputs(of plan: StagePlan, _ record: Record? = nil) throws -> [Record.Entry] {
    var recorded: [String: Record.Entry] = [:]
    for entry in record?.inputs ?? [] { recorded[entry.name] = entry }
    return try plan.inputs.flatMap { input -> [Record.Entry] in
      let path = workspace.path(of: input.location)
      guard !input.isFolder else {
        return try Folder.files(in: path).filter { !Self.isProse($0) }.map { file in
          let name = input.name + "/" + file
          return Record.Entry(
            name, try ledger.digest(path + "/" + file, recorded: recorded[name]))
        }
      }
      if input.isOptional, !isFresh(input.location) || FileStamp(of: path) == nil {
        return [Record.Entry(input.name, nil)]
      }
      return [
        Record.Entry(input.name, try ledger.digest(path, recorded: recorded[input.name]))
      ]
    }
  }

  /// Whether a file of a folder is there for people alone: no stage reads Markdown.
  private static func isProse(_ path: String) -> Bool { path.lowercased().hasSuffix(".md") }

  private static func settings(_ plan: StagePlan, _ record: Record) -> [RedoReason] {
    if plan.name != record.stage { return [.stageChanged(from: record.stage, to: plan.name)] }
    if plan.version != record.version {
      return [.versionChanged(from: record.version, to: plan.version)]
    }
    func value(_ name: String, in list: [StageParameter]) -> JSONValue? {
      list.first { $0.name == name }?.value
    }
    var names = plan.parameters.map(\.name)
    names += record.parameters.map(\.name).filter { !names.contains($0) }
    return names.compactMap { name in
      let (old, new) = (value(name, in: record.parameters), value(name, in: plan.parameters))
      return old == new ? nil : .parameterChanged(name: name, from: old, to: new)
    }
  }

  private static func compare(_ old: [Record.Entry], _ new: [Record.Entry]) -> [RedoReason] {
    // The usual case needs no tables.
    if old.count == new.count, zip(old, new).allSatisfy({ $0.hasContent(of: $1) }) { return [] }
    let before = Dictionary(old.map { ($0.name, $0) }) { first, _ in first }
    let after = Set(new.map(\.name))
    return new.compactMap { entry in
      guard let other = before[entry.name] else { return .inputAdded(name: entry.name) }
      return other.hasContent(of: entry) ? nil : .inputChanged(name: entry.name)
    } + old.filter { !after.contains($0.name) }.map { .inputRemoved(name: $0.name) }
  }

  /// Outputs that the record does not speak of.
  private func lacking(_ plan: StagePlan, _ record: Record) -> [RedoReason] {
    let recorded = Set(record.outputs.map(\.name))
    return plan.outputs.filter { output in
      output.isFolder
        ? !recorded.contains { $0.hasPrefix(output.path + "/") } : !recorded.contains(output.path)
    }.map { .outputMissing(path: $0.path) }
  }
}
