import Files
import Glibc
import Imaging
import Reports

/// Every file that a run of `segment` will write, settled before any work.
struct SegmentationPlan {
  /// One scan and where its results go.
  struct Job: Equatable {
    let scan: String
    /// The scan's name in tables.
    let subject: String
    /// The label map, and the JSON beside it.
    let labels: String
    var posteriors: String?
    /// An image of the posterior's entropy.
    var entropy: String?
    var picture: String?
    var affine: String?
    /// A page that shows it all.
    var report: String?
    /// The label table, as a file beside the label map.
    var labelTable: String?
    /// Where the images belong in a dataset.
    var place: SegmentationSidecar.Place?

    var sidecar: String { SegmentationPlan.sidecar(of: labels) }
    var posteriorsSidecar: String? { posteriors.map(SegmentationPlan.sidecar) }

    var outputs: [String] {
      [labels, sidecar]
        + [posteriors, posteriorsSidecar, entropy, picture, affine, report, labelTable].compactMap {
          $0
        }
    }
  }

  /// What was asked for on the command line: files for one scan, folders for several.
  struct Request {
    var labels: String
    var posteriors: String?
    /// An image of the posterior's entropy.
    var entropy: String?
    var picture: String?
    var affine: String?
    var report: String?
    var volumes: String?
  }

  let jobs: [Job]
  /// One table for all scans.
  let volumes: String?
  /// Files in folders that are not segmented.
  let ignored: Int

  /// Names every output; with `isMany` outputs are folders.
  ///
  /// - Throws: `SegmentationPlanError`, `ImagingError.unknownOutputFormat`.
  init(_ scans: ScanList, _ request: Request, isMany: Bool) throws {
    volumes = request.volumes
    if let volumes, DelimitedText(extensionOf: volumes) == nil {
      throw SegmentationPlanError.badEnding(
        option: "--volumes", path: volumes, expected: ".tsv or .csv")
    }
    var scans = scans
    if isMany {
      try Self.checkFolders(request)
      // A second run on a folder that holds its own results, whichever the first was asked for.
      let folders = [request.labels, request.posteriors, request.entropy].compactMap { $0 }
      let results = Set(
        scans.paths.flatMap { scan in
          folders.flatMap { folder in
            Ending.images.map {
              AtomicFile.place(of: Self.path(folder, ScanList.name(of: scan) + $0))
            }
          }
        })
      scans.drop { results.contains(AtomicFile.place(of: $0)) }
      jobs = scans.paths.map { Self.job(for: $0, in: request) }
    } else {
      try Self.checkFiles(request)
      jobs = scans.paths.map { scan in
        Job(
          scan: scan, subject: ScanList.name(of: scan), labels: request.labels,
          posteriors: request.posteriors, entropy: request.entropy, picture: request.picture,
          affine: request.affine, report: request.report)
      }
    }
    ignored = scans.ignored
    try Self.checkDistinct(jobs, volumes)
  }

  /// Whether outputs are folders: by several scans, a folder, a list, or the output's own name.
  static func isMany(_ scans: ScanList, hasList: Bool, output: String) -> Bool {
    scans.paths.count > 1 || !scans.fromFolders.isEmpty || hasList || output.hasSuffix("/")
      || ScanList.isFolder(output)
  }

  /// What names of images end in.
  private enum Ending {
    static let labels = "_seg.nii.gz"
    static let posteriors = "_posteriors.nii.gz"
    static let entropy = "_entropy.nii.gz"
    static let images = [labels, posteriors, entropy]
  }

  private static func path(_ folder: String, _ name: String) -> String {
    (folder.hasSuffix("/") ? folder : folder + "/") + name
  }

  private static func job(for scan: String, in request: Request) -> Job {
    let name = ScanList.name(of: scan)
    return Job(
      scan: scan, subject: name, labels: path(request.labels, name + Ending.labels),
      posteriors: request.posteriors.map { path($0, name + Ending.posteriors) },
      entropy: request.entropy.map { path($0, name + Ending.entropy) },
      picture: request.picture.map { path($0, name + "_qc.png") },
      affine: request.affine.map { path($0, name + "_affine.txt") },
      report: request.report.map { path($0, name + "_report.html") })
  }

  private static func checkFolders(_ request: Request) throws {
    let named = [
      ("--output", request.labels), ("--posteriors", request.posteriors ?? ""),
      ("--entropy", request.entropy ?? ""), ("--qc", request.picture ?? ""),
      ("--save-affine", request.affine ?? ""),
      ("--report", request.report ?? ""),
    ]
    let endings = [".nii", ".nii.gz", ".png", ".txt", ".tfm", ".html"]
    for (option, path) in named
    where endings.contains(where: { path.lowercased().hasSuffix($0) })
      && !ScanList.isFolder(path)
    {
      throw SegmentationPlanError.needsFolder(option: option, path: path)
    }
  }

  private static func checkFiles(_ request: Request) throws {
    for path in [request.labels, request.posteriors, request.entropy].compactMap({ $0 })
    where !ImageWriter.canWrite(path) {
      throw ImagingError.unknownOutputFormat(path: path)
    }
    if let picture = request.picture, !picture.lowercased().hasSuffix(".png") {
      throw SegmentationPlanError.badEnding(option: "--qc", path: picture, expected: ".png")
    }
    if let report = request.report, !report.lowercased().hasSuffix(".html") {
      throw SegmentationPlanError.badEnding(option: "--report", path: report, expected: ".html")
    }
    if let affine = request.affine,
      ![".txt", ".tfm"].contains(where: { affine.lowercased().hasSuffix($0) })
    {
      throw SegmentationPlanError.badEnding(
        option: "--save-affine", path: affine, expected: ".txt or .tfm")
    }
  }

  private static func checkDistinct(_ jobs: [Job], _ volumes: String?) throws {
    var owners: [String: String] = [:]
    func claim(_ path: String, for owner: String) throws {
      let place = AtomicFile.place(of: path)
      if let other = owners[place] {
        throw SegmentationPlanError.sameOutput(path: path, owners: [other, owner])
      }
      owners[place] = owner
    }
    for job in jobs {
      for output in job.outputs { try claim(output, for: job.scan) }
    }
    if let volumes { try claim(volumes, for: "--volumes") }
  }

  /// Checks whether outputs may be written, and makes missing folders. `inputs` are files that are read
  /// beside the scans.
  ///
  /// - Returns: the jobs all of whose outputs may be, and why those of the others may not.
  /// - Throws: `ImagingError`, `FileError` for what is no single scan's: a folder, or the table of volumes.
  func check(overwrite: Bool, inputs: [String]) throws -> (ready: [Job], refused: [any Error]) {
    let read = jobs.map(\.scan) + inputs
    if let volumes, let format = DelimitedText(extensionOf: volumes) {
      try OutputGuard.check(
        volumes, overwrite: overwrite, inputs: read, mark: VolumesTable.firstLine(of: format))
    }
    var (ready, refused): ([Job], [any Error]) = ([], [])
    for job in jobs {
      do {
        for output in job.outputs {
          try OutputGuard.check(output, overwrite: overwrite, inputs: read)
        }
        ready.append(job)
      } catch {
        guard Self.isOfOneFile(error) else { throw error }
        refused.append(error)
      }
    }
    return (ready, refused)
  }

  /// Whether an output's own name or file is why it cannot be written, rather than its folder.
  private static func isOfOneFile(_ error: any Error) -> Bool {
    if case FileError.cannotCreate(_, let code) = error {
      return [ENAMETOOLONG, EISDIR, EEXIST].contains(code)
    }
    return error is ImagingError
  }

  static func sidecar(of image: String) -> String {
    let ending = [".nii.gz", ".nii"].first { image.lowercased().hasSuffix($0) } ?? ""
    return String(image.dropLast(ending.count)) + ".json"
  }
}

/// Why outputs cannot be what was asked for.
enum SegmentationPlanError: Error, Equatable {
  case badEnding(option: String, path: String, expected: String)
  case needsFolder(option: String, path: String)
  case sameOutput(path: String, owners: [String])
}

extension SegmentationPlanError: Diagnosable {
  var diagnosis: Diagnosis {
    switch self {
    case .badEnding(let option, let path, let expected):
      Diagnosis("\(option) is '\(path)'; it must end in \(expected)", status: .usage)
    case .needsFolder(let option, let path):
      Diagnosis(
        "\(option) is '\(path)', a file, for several scans",
        hint: "Name a folder: its files are named after the scans.", status: .usage)
    case .sameOutput(let path, let owners) where Set(owners).count == 1:
      Diagnosis(
        "\(owners[0]): two outputs, or one asked for twice, would be written to \(path)",
        hint: "Give each its own name, and name each scan once.", status: .usage)
    case .sameOutput(let path, let owners):
      Diagnosis(
        "\(owners.joined(separator: " and ")) would both be written to \(path)",
        hint: "Segment them into different folders.", status: .usage)
    }
  }
}
