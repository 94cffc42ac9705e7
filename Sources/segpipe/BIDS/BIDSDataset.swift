import Files
import Foundation
import Reports

/// A BIDS dataset of scans, as it lies in a folder.
struct BIDSDataset {
  /// One anatomical image.
  struct Scan {
    let name: BIDSName
    /// From the dataset's folder on.
    let relative: String
    let path: String

    var participant: String { name["sub"] ?? "" }
    var session: String? { name["ses"] }
    /// Its folder, from the dataset's on: `sub-01/ses-2/anat`.
    var folder: String { (relative as NSString).deletingLastPathComponent }
  }

  let root: String

  /// - Throws: `BIDSError` when the folder is no dataset; with `validates` false, only when it is no folder.
  init(_ root: String, validates: Bool) throws {
    self.root = root.count > 1 && root.hasSuffix("/") ? String(root.dropLast()) : root
    guard ScanList.isFolder(self.root) else { throw BIDSError.noFolder(self.root) }
    if validates { try checkDescription() }
  }

  private func checkDescription() throws {
    let path = root + "/dataset_description.json"
    guard let data = FileManager.default.contents(atPath: path) else {
      throw BIDSError.invalid(path: path, found: "no such file")
    }
    guard let content = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] else {
      throw BIDSError.invalid(path: path, found: "not a JSON object")
    }
    for key in ["Name", "BIDSVersion"] where !(content[key] is String) {
      throw BIDSError.invalid(path: path, found: "no \(key)")
    }
  }

  private static let endings = [".nii.gz", ".nii"]

  /// Every anatomical image of one of the suffixes, in the order of their names.
  ///
  /// - Throws: `BIDSError.invalid` when there is no participant, `FileError` for a folder that cannot be read.
  func scans(suffixes: [String]) throws -> [Scan] {
    let participants = try names(in: "").filter { $0.hasPrefix("sub-") }
    guard !participants.isEmpty else {
      throw BIDSError.invalid(path: root, found: "no folder sub-LABEL")
    }
    return try participants.flatMap { participant -> [Scan] in
      let sessions = try names(in: participant).filter { $0.hasPrefix("ses-") }
      return try ([participant] + sessions.map { participant + "/" + $0 }).flatMap { folder in
        try names(in: folder + "/anat").compactMap { file in
          let relative = "\(folder)/anat/\(file)"
          guard let name = BIDSName(file), Self.endings.contains(name.ending),
            suffixes.contains(name.suffix), participant == "sub-\(name["sub"] ?? "")",
            ScanList.canBeScan("\(root)/\(relative)")
          else { return nil }
          return Scan(name: name, relative: relative, path: "\(root)/\(relative)")
        }
      }
    }
  }

  /// Nothing where there is no such folder.
  private func names(in folder: String) throws -> [String] {
    do {
      return try Folder.names(in: folder.isEmpty ? root : root + "/" + folder)
    } catch FileError.missing, FileError.wrongKind {
      return []
    }
  }
}

/// Why a dataset cannot be worked on.
enum BIDSError: Error, Equatable {
  case noFolder(String)
  case invalid(path: String, found: String)
  case unknownLevel(String)
  case nothingSelected(filters: [String], known: [String])
  /// The folder for results is the dataset's own, or another raw dataset.
  case rawOutput(String)
  case badOutputDescription(path: String)
  case badFilter(path: String, found: String)
  /// The atlas that participant was given is not there for group.
  case atlasIsGone(path: String)
}

extension BIDSError: Diagnosable {
  var diagnosis: Diagnosis {
    switch self {
    case .noFolder(let path):
      Diagnosis(
        "\(path): no such folder, expected a BIDS dataset",
        hint: "Name the folder that holds dataset_description.json and sub-LABEL folders.",
        status: .noInput)
    case .invalid(let path, let found):
      Diagnosis(
        "\(path): \(found); expected a BIDS dataset: dataset_description.json with Name and "
          + "BIDSVersion, and folders sub-LABEL",
        hint: "Look at it with bids-validator; --skip-bids-validation asks for no description.",
        status: .invalidBIDS)
    case .unknownLevel(let level):
      Diagnosis(
        "the analysis level is '\(level)', expected participant or group",
        hint: "First participant, for each scan, then group, for the tables of all.",
        status: .unknownAnalysisLevel)
    case .nothingSelected(let filters, let known):
      Diagnosis(
        "no scan is left after \(filters.joined(separator: ", "))",
        hint: known.isEmpty
          ? "The dataset has no such image; name another suffix with --suffix."
          : "There are \(known.prefix(20).joined(separator: ", ")).", status: .nothingSelected)
    case .rawOutput(let path):
      Diagnosis(
        "\(path): a raw dataset, expected a folder for derivatives",
        hint: "Name another folder, such as derivatives/segpipe in the dataset.",
        status: .cannotCreate)
    case .badOutputDescription(let path):
      Diagnosis(
        "\(path): not a JSON object, expected the description of a dataset",
        hint: "Mend or remove the file.", status: .badData)
    case .atlasIsGone(let path):
      Diagnosis(
        "\(path): no such folder, expected the atlas that participant was given",
        hint: "Name it with --atlas, where it is now.", status: .noInput)
    case .badFilter(let path, let found):
      Diagnosis(
        "\(path): \(found); expected JSON such as {\"t1w\": {\"session\": \"pre\"}}",
        hint: "Mend the file, or choose with --participant-label, --session-label and --suffix.",
        status: .usage)
    }
  }
}
