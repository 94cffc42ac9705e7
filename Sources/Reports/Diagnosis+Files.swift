import Files
import Foundation

extension FileError: Diagnosable {
  package var diagnosis: Diagnosis {
    switch self {
    case .missing(let path):
      Diagnosis("\(path): no such file", hint: "Check the path.", status: .noInput)
    case .brokenLink(let path, let target):
      Diagnosis(
        "\(path): a symbolic link to \(target), which does not exist",
        hint: target.contains("annex")
          ? "Fetch the content first: git annex get, or datalad get."
          : "Check where the link should lead.", status: .noInput)
    case .wrongKind(let path, let found, let expected):
      Diagnosis(
        "\(path): \(found.words), expected \(expected.words)", hint: found.hint, status: .noInput)
    case .unreadable(let path, let code):
      Diagnosis(
        "\(path): cannot be opened: \(text(code))", hint: "Check the file's permissions.",
        status: .noInput)
    case .readFailed(let path, let code):
      Diagnosis(
        "\(path): reading failed: \(text(code))", hint: "Check the disk or the network share.",
        status: .inputOutput)
    case .changedWhileReading(let path):
      Diagnosis(
        "\(path): the file changed while it was being read",
        hint: "Wait until its writer has finished, then run again.", status: .temporary)
    case .cannotCreate(let path, let code) where code == ENOSPC || code == EDQUOT:
      Diagnosis(
        "\(path): cannot be created: \(text(code))",
        hint: "Make room on the disk, then run again.", status: .inputOutput)
    case .cannotCreate(let path, ENAMETOOLONG):
      Diagnosis(
        "\(path): cannot be created: \(text(ENAMETOOLONG))",
        hint: "Give the scan, or the output, a shorter name.", status: .cannotCreate)
    case .cannotCreate(let path, let code):
      Diagnosis(
        "\(path): cannot be created: \(text(code))",
        hint: "Check the folder and its permissions.", status: .cannotCreate)
    case .writeFailed(let path, let operation, let code):
      Diagnosis(
        "\(path): \(operation) failed: \(text(code)); nothing was left behind",
        hint: hint(for: code), status: .inputOutput)
    case .folderNotSynced(let path, let code):
      Diagnosis(
        "\(path): written, but its folder cannot be synced to disk: \(text(code))",
        hint: "Check the disk, then run again.", status: .inputOutput)
    }
  }

  private func hint(for code: Int32) -> String? {
    switch code {
    case ENOSPC, EDQUOT: "Make room on the disk, then run again."
    case EFBIG: "Files may not be this large here: see ulimit -f, or write to another disk."
    default: nil
    }
  }

  private func text(_ code: Int32) -> String { String(cString: strerror(code)) }
}

extension FileKind {
  fileprivate var words: String {
    switch self {
    case .file: "a file"
    case .folder: "a folder"
    case .other: "a pipe or device"
    }
  }

  /// What to do where something else was expected.
  fileprivate var hint: String {
    switch self {
    case .file: "Name the folder that it lies in."
    case .folder: "Name a file in it."
    case .other: "Write what it gives to a file first."
    }
  }
}
