import Foundation
import Files
import Testing

@testable import Reports

/// The words of errors of files as such, and their exit codes.
@Suite struct FilesDiagnosisTests {
  @Test(arguments: [
    (FileError.missing(path: "a"), "a: no such file", Reports.ExitStatus.noInput),
    (
      .brokenLink(path: "a", target: "b"), "a: a symbolic link to b, which does not exist",
      .noInput
    ),
    (.unreadable(path: "a", code: EACCES), "a: cannot be opened: Permission denied", .noInput),
    (
      .wrongKind(path: "a", found: .folder, expected: .file), "a: a folder, expected a file",
      .noInput
    ),
    (
      .wrongKind(path: "a", found: .file, expected: .folder), "a: a file, expected a folder",
      .noInput
    ),
    (
      .wrongKind(path: "a", found: .other, expected: .file),
      "a: a pipe or device, expected a file", .noInput
    ),
    (.readFailed(path: "a", code: 5), "a: reading failed: Input/output error", .inputOutput),
    (
      .changedWhileReading(path: "a"), "a: the file changed while it was being read", .temporary
    ),
    (
      .cannotCreate(path: "a", code: 30), "a: cannot be created: Read-only file system",
      .cannotCreate
    ),
    (
      .writeFailed(path: "o.nii", operation: "fsync", code: 28),
      "o.nii: fsync failed: No space left on device; nothing was left behind", .inputOutput
    ),
    (
      .folderNotSynced(path: "a", code: 5),
      "a: written, but its folder cannot be synced to disk: Input/output error", .inputOutput
    ),
  ])
  func words(error: FileError, message: String, status: Reports.ExitStatus) {
    let diagnosis = Diagnosis(of: error)
    #expect(diagnosis.message == message)
    #expect(diagnosis.status == status)
  }

  @Test(arguments: [
    (FileError.cannotCreate(path: "a", code: 36), "a shorter name"),
    (.cannotCreate(path: "a", code: 13), "Check the folder"),
    (.writeFailed(path: "a", operation: "write", code: 27), "ulimit -f"),
    (.writeFailed(path: "a", operation: "write", code: 28), "Make room on the disk"),
  ])
  func hints(error: FileError, words: String) {
    #expect(Diagnosis(of: error).hint?.contains(words) == true)
  }
}
