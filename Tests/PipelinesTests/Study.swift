import Foundation
import Pipelines
import Testing

/// A folder for one test's files, removed when the test lets go of it.
final class Scratch {
  let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "/pipelines-tests-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  func path(_ name: String) -> String { "\(folder)/\(name)" }

  func write(_ text: String, _ name: String) throws {
    let file = URL(fileURLWithPath: path(name))
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    // In place, as an editor may do it.
    try Data(text.utf8).write(to: file)
  }

  func text(_ name: String) -> String? { try? String(contentsOfFile: path(name), encoding: .utf8) }

  /// Files below a folder, hidden ones too, locks left out.
  func files(_ name: String = "") -> [String] {
    let all = (try? FileManager.default.subpathsOfDirectory(atPath: path(name))) ?? []
    return all.filter { file in
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: path(name) + "/" + file, isDirectory: &isFolder)
      return !isFolder.boolValue && !file.contains("/locks/")
    }.sorted()
  }
}

/// A small pipeline of texts: `model` joins the maps of a folder, `mark/NAME` puts it before each of three
/// scans, and `sum` gathers what there is.
final class Study {
  let scratch: Scratch
  var prefix = "<"
  var version = 1
  var scans = ["a", "b", "c"]
  /// Ids of stages whose work was done, in order.
  private(set) var worked: [String] = []
  private let turn = NSLock()
  var events: [String] = []
  /// Called before a stage writes.
  var trouble: (String) throws -> Void = { _ in }
  var workspace = "work"

  init() throws {
    scratch = try Scratch()
    try scratch.write("one", "maps/1")
    try scratch.write("two", "maps/deep/2")
    for scan in scans { try scratch.write("scan \(scan)", "scans/\(scan)") }
  }

  struct Refusal: Error {}

  private func stage(
    _ plan: StagePlan, _ work: @escaping (Workplace, StagePlan) throws -> String
  ) -> Stage {
    var stage = Stage(plan) { [unowned self] place in
      turn.withLock { worked.append(plan.id) }
      let text = try work(place, plan)
      for output in plan.outputs {
        let path = place.output(output.isFolder ? output.path + "/text" : output.path)
        try FileManager.default.createDirectory(
          atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try trouble(plan.id)
      }
    }
    stage.mayReplace = { [unowned self] in (try? read($0)) != "mine" }
    return stage
  }

  private func read(_ path: String?) throws -> String {
    guard let path else { return "none" }
    return try String(contentsOfFile: path, encoding: .utf8)
  }

  var stages: [Stage] {
    var model = StagePlan(id: "model", name: "model", version: version)
    model.inputs = [StageInput("maps", .outside(scratch.path("maps")), isFolder: true)]
    model.outputs = [StageOutput("model", isFolder: true)]
    var stages = [
      stage(model) { [unowned self] place, _ in
        let maps = place.input("maps") ?? ""
        return try read(maps + "/1") + "+" + read(maps + "/deep/2")
      }
    ]
    var sum = StagePlan(id: "sum", name: "sum", version: 1)
    sum.outputs = [StageOutput("sum.txt")]
    for (item, scan) in scans.enumerated() {
      var mark = StagePlan(id: "mark/\(scan)", name: "mark", version: 1)
      mark.parameters = [StageParameter("prefix", .text(prefix))]
      mark.inputs = [
        StageInput("scan", .outside(scratch.path("scans/\(scan)"))),
        StageInput("model", .workspace("model"), isFolder: true),
      ]
      mark.outputs = [StageOutput("mark/\(scan).txt")]
      mark.item = item
      stages.append(
        stage(mark) { [unowned self] place, plan in
          let text = try read(place.input("scan"))
          if text.contains("bad") { throw Refusal() }
          return prefix + (try read((place.input("model") ?? "") + "/text")) + ">" + text
        })
      sum.inputs.append(
        StageInput(scan, .workspace("mark/\(scan).txt"), isOptional: true))
      sum.inputs.append(
        StageInput(
          scan + " failure", Workspace.failure(of: "mark/\(scan)"), isOptional: true))
    }
    let scans = scans
    stages.append(
      stage(sum) { [unowned self] place, _ in
        try scans.map { scan in
          let failure = place.input(scan + " failure").flatMap { FailureNote(contentsOf: $0) }
          return try failure.map { "failed: \($0.message)" } ?? read(place.input(scan))
        }.joined(separator: "\n")
      })
    return stages
  }

  /// Runs it; returns the ids of the stages that did not end well.
  @discardableResult
  func run(_ options: RunOptions = RunOptions()) throws -> [String] {
    worked = []
    events = []
    let runner = try Runner(
      stages, in: Workspace(scratch.path(workspace)), options: options,
      describe: { error, _ in FailureNote(message: "\(type(of: error))", hint: nil, status: 65) },
      report: { [unowned self] event in note(event) })
    return try runner.run(pipeline: "study").compactMap { plan, outcome in
      switch outcome {
      case .reused, .done: nil
      case .failed, .blocked: plan.id
      }
    }
  }

  private func note(_ event: RunEvent) {
    switch event {
    case .starting(let plan, let reasons): events.append("\(plan.id): \(reasons)")
    case .ended(let plan, .failed(let error)): events.append("\(plan.id) failed: \(error)")
    case .ended(let plan, .blocked(let by)): events.append("\(plan.id) blocked by \(by)")
    case .ended: break
    case .waiting(let plan, _): events.append("\(plan.id) waits")
    case .tookOver(let plan, let holder): events.append("\(plan.id) from \(holder.pid)")
    }
  }

  var all: [String] { ["model"] + scans.map { "mark/\($0)" } + ["sum"] }
}
