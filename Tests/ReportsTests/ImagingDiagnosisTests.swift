import Imaging
import Testing

@testable import Reports

/// The words of imaging errors, and their exit codes.
@Suite struct ImagingDiagnosisTests {
  @Test(arguments: [
    (
      ImagingError.file(.missing(path: "a.nii")), "a.nii: no such file", Reports.ExitStatus.noInput
    ),
    (.directory(path: "d"), "d: a folder, expected an image file", .noInput),
    (.empty(path: "a.nii"), "a.nii: the file is empty, expected an image", .badData),
    (
      .noRoomForHeader(path: "a.nii", found: 12, expected: 348),
      "a.nii: 12 bytes, expected at least 348 for a header", .badData
    ),
    (
      .foreign(path: "a.nii", looksLike: .dicom),
      "a.nii: not an image that can be read; this looks like a DICOM file, expected NIfTI-1, "
        + "NIfTI-2 or MGH", .badData
    ),
    (
      .gzip(
        path: "a.nii.gz", fault: .checksum(found: 1, expected: 0xabcdef01), decoded: 99,
        expected: 100),
      "a.nii.gz: the gzip checksum is 00000001, expected abcdef01, after 99 decoded bytes, "
        + "expected 100", .badData
    ),
    (
      .shortData(path: "a.nii", found: 352, expected: 400),
      "a.nii: 352 bytes, expected 400 by its header", .badData
    ),
    (
      .file(.changedWhileReading(path: "a.nii")),
      "a.nii: the file changed while it was being read", .temporary
    ),
    (
      .outputExists(path: "o.nii"), "o.nii: already exists, and segpipe did not make it",
      .cannotCreate
    ),
    (.outputIsInput(path: "o.nii"), "o.nii: is both input and output", .usage),
    (
      .unknownOutputFormat(path: "o.mgz"),
      "o.mgz: the name of an output image must end in .nii or .nii.gz", .usage
    ),
  ])
  func words(error: ImagingError, message: String, status: Reports.ExitStatus) {
    let diagnosis = Diagnosis(of: error)
    #expect(diagnosis.message == message)
    #expect(diagnosis.status == status)
  }

  @Test func theLimitOfSizeIsNamed() {
    let error = ImagingError.tooLarge(path: "a.nii", needed: 9, limit: 8, reason: .option)
    #expect(Diagnosis(of: error).hint?.contains("raise the limit with --max-input") == true)
  }

  @Test func findingsAreJoined() {
    let findings = [
      Finding(.warning, "units", "no unit", fix: "Millimetres."),
      Finding(.error, "datatype", "datatype 0 means nothing", fix: "Convert it."),
      Finding(.error, "extents", "dim[2] is -8, expected at least 1", fix: "Convert it."),
    ]
    let diagnosis = Diagnosis(of: ImagingError.header(path: "a.nii", findings: findings))
    #expect(
      diagnosis.message == "a.nii: datatype 0 means nothing; dim[2] is -8, expected at least 1")
    #expect(diagnosis.hint == "Convert it.")
    #expect(diagnosis.status == .badData)
  }
}
