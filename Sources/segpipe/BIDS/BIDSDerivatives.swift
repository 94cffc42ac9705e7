import Files
import Foundation
import Imaging
import Reports

/// The folder for what is made from a BIDS dataset: names of files, and what describes them.
struct BIDSDerivatives {
  let root: String
  /// Of the atlas; letters and digits.
  let atlas: String
  let hasPosteriors: Bool

  private static let version = "1.10.0"
  /// What BIDS has no names for.
  private static let ignored = ["*.html", "*_morph.tsv", "group_*.tsv"]

  /// The name of the dataset that was read, in BIDS URIs.
  static let source = "raw"
  /// The images lie where the scans do.
  static let spatialReference = "orig"

  static let tables = StudyTables(
    summary: "group_summary.tsv", volumes: "group_volumes.tsv", page: "group.html", pages: "")

  /// What is made of a scan, from the folder on.
  func outputs(of scan: BIDSDataset.Scan) -> StudyScan {
    var entities = [("space", "orig"), ("atlas", atlas), ("seg", "segpipe")]
    // T1-weighted images are what most datasets have; others say what they are.
    if scan.name.suffix != "T1w" { entities.append(("desc", scan.name.suffix)) }
    func path(_ suffix: String) -> String {
      "\(scan.folder)/\(scan.name.derived(entities, suffix: suffix))"
    }
    let kind = scan.name.suffix == "T1w" ? "" : scan.name.suffix
    let volumes = scan.name.derived([("desc", kind + "volumes")], suffix: "morph")
    var job = SegmentationPlan.Job(
      scan: scan.path, subject: scan.name.stem, labels: path("dseg") + ".nii.gz",
      posteriors: hasPosteriors ? path("probseg") + ".nii.gz" : nil)
    job.labelTable = path("dseg") + ".tsv"
    job.report = scan.name.stem + ".html"
    job.place = SegmentationSidecar.Place(
      spatialReference: Self.spatialReference, sources: ["bids:\(Self.source):\(scan.relative)"])
    return StudyScan(job: job, volumes: "\(scan.folder)/\(volumes).tsv")
  }

  /// Describes the folder as a dataset of derivatives, beside what others say of it. Writes only what
  /// changes.
  ///
  /// - Throws: `BIDSError`, `FileError`, `ImagingError`.
  func describe(madeFrom dataset: BIDSDataset) throws {
    let path = root + "/dataset_description.json"
    guard Self.path(from: root, to: dataset.root) != "." else { throw BIDSError.rawOutput(root) }
    try OutputGuard.check(path, overwrite: true, inputs: [])
    let old = FileManager.default.contents(atPath: path)
    var content: [String: Any] = [:]
    if let old {
      guard let found = (try? JSONSerialization.jsonObject(with: old)) as? [String: Any] else {
        throw BIDSError.badOutputDescription(path: path)
      }
      guard found["DatasetType"] as? String == "derivative" || found["GeneratedBy"] != nil else {
        throw BIDSError.rawOutput(root)
      }
      content = found
    }
    content["Name"] = content["Name"] ?? "segpipe: label maps of anatomical scans"
    content["BIDSVersion"] = content["BIDSVersion"] ?? Self.version
    content["DatasetType"] = "derivative"
    let others = (content["GeneratedBy"] as? [[String: Any]] ?? [])
      .filter { $0["Name"] as? String != "segpipe" }
    content["GeneratedBy"] = others + [["Name": "segpipe", "Version": Version.current]]
    var links = content["DatasetLinks"] as? [String: Any] ?? [:]
    links[Self.source] = Self.path(from: root, to: dataset.root)
    content["DatasetLinks"] = links
    let data =
      try JSONSerialization.data(
        withJSONObject: content, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
      + Data("\n".utf8)
    if data != old { try AtomicFile.write([UInt8](data), to: path) }
    try ignore()
  }

  /// Tells validators of what BIDS has no names for.
  private func ignore() throws {
    let path = root + "/.bidsignore"
    let old = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    var lines = (old ?? "").split(separator: "\n").map(String.init)
    lines += Self.ignored.filter { !lines.contains($0) }
    let text = lines.joined(separator: "\n") + "\n"
    if text != old { try AtomicFile.write(Array(text.utf8), to: path) }
  }

  /// A path relative to a folder, both as they are once links are followed.
  private static func path(from folder: String, to other: String) -> String {
    func parts(_ path: String) -> [String] {
      URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.pathComponents
    }
    let (start, end) = (parts(folder), parts(other))
    let shared = zip(start, end).prefix { $0 == $1 }.count
    let steps = [String](repeating: "..", count: start.count - shared) + end.dropFirst(shared)
    return steps.isEmpty ? "." : steps.joined(separator: "/")
  }
}
