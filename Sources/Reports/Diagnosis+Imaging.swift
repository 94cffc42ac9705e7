import Files
import Imaging

extension ImagingError: Diagnosable {
  package var diagnosis: Diagnosis {
    switch self {
    // Nothing to read.
    case .file(let error): error.diagnosis
    case .directory(let path):
      Diagnosis(
        "\(path): a folder, expected an image file", hint: "Name a file in it.", status: .noInput)
    case .notAFile(let path):
      Diagnosis(
        "\(path): a device or terminal, expected an image file",
        hint: "Name a file, or pipe one in.", status: .usage)
    case .missingPart(let path, let expected):
      Diagnosis(
        "\(path): the other half of the image, \(expected), is not there",
        hint: "An image of two files needs both, side by side and named alike.",
        status: .noInput)

    // Something was read and is not what was expected.
    case .empty(let path):
      Diagnosis(
        "\(path): the file is empty, expected an image", hint: "Copy or convert it again.",
        status: .badData)
    case .noRoomForHeader(let path, let found, let expected):
      Diagnosis(
        "\(path): \(found) bytes, expected at least \(expected) for a header",
        hint: "The file is cut off or no image: copy or convert it again.", status: .badData)
    case .foreign(let path, let looksLike):
      Diagnosis(
        "\(path): not an image that can be read; this looks like \(looksLike.rawValue), expected "
          + "NIfTI-1, NIfTI-2 or MGH", hint: hint(for: looksLike), status: .badData)
    case .header(let path, let findings), .content(let path, let findings):
      refusal(path, findings.errors)
    case .unexpectedType(let path, let found, let expected):
      Diagnosis("\(path): voxels are \(found), expected \(expected)", status: .badData)

    // A file that is not whole.
    case .gzip(let path, let fault, let decoded, let expected):
      damage(
        path,
        "\(text(fault)), after \(decoded) decoded bytes"
          + (expected.map { ", expected \($0)" } ?? ""))
    case .shortData(let path, let found, let expected):
      damage(path, "\(found) bytes, expected \(expected) by its header")
    case .tooLarge(let path, let needed, let limit, .fileSize):
      damage(
        path,
        "the header asks for \(needed) bytes, and a compressed file of this size can hold at most "
          + "\(limit)")
    case .tooLarge(let path, let needed, let limit, .option):
      Diagnosis(
        "\(path): the header asks for \(needed) bytes, more than the limit of \(limit)",
        hint: "If the size is real, raise the limit with --max-input; else the header is damaged.",
        status: .badData)
    case .overlong(let path, let expected):
      Diagnosis(
        "\(path): the content goes on far beyond the \(expected) bytes that its header asks for",
        hint: "A damaged header, or a file made to fill memory.", status: .badData)

    // The machine's trouble, not the file's.
    case .outOfMemory(let bytes):
      Diagnosis(
        "no memory for \(bytes) bytes",
        hint: "Close other programs, or raise the memory limit.", status: .temporary)

    // What cannot be written.
    case .unknownOutputFormat(let path):
      Diagnosis(
        "\(path): the name of an output image must end in .nii or .nii.gz",
        hint: "Other formats are not written.", status: .usage)
    case .outputExists(let path):
      Diagnosis(
        "\(path): already exists, and segpipe did not make it",
        hint: "Give another name, or --overwrite to replace it.", status: .cannotCreate)
    case .outputIsInput(let path):
      Diagnosis(
        "\(path): is both input and output", hint: "Give the output another name.",
        status: .usage)
    case .labelOutOfRange(let path, let value):
      Diagnosis(
        "\(path): label \(value) cannot be written, expected 0 or more", status: .badData)
    case .wrongVolume(let path, let found, let expected):
      Diagnosis("\(path): \(found) voxels to write, expected \(expected)", status: .internalError)
    }
  }

  private func refusal(_ path: String, _ errors: [Finding]) -> Diagnosis {
    Diagnosis(
      "\(path): " + errors.map(\.message).joined(separator: "; "),
      hint: errors.map(\.fix).reduce(into: [String]()) { fixes, fix in
        if !fixes.contains(fix) { fixes.append(fix) }
      }.joined(separator: " "), status: .badData)
  }

  private func damage(_ path: String, _ found: String) -> Diagnosis {
    Diagnosis(
      "\(path): \(found)",
      hint: "The file is damaged or incomplete: copy it again from its source.", status: .badData)
  }

  private func text(_ fault: GzipFault) -> String {
    switch fault {
    case .header: "the gzip header is damaged"
    case .truncated: "the compressed data end early"
    case .trailerTruncated: "the gzip checksum at the end is cut off"
    case .stream: "the compressed data are damaged"
    case .checksum(let found, let expected):
      "the gzip checksum is \(hexadecimal(found)), expected \(hexadecimal(expected))"
    case .length(let found, let expected):
      "the gzip length is \(found), expected \(expected)"
    }
  }

  private func hexadecimal(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }

  private func hint(for content: ForeignContent) -> String {
    switch content {
    case .dicom: "Convert it first, with dcm2niix for example."
    case .lfsPointer: "Fetch the content first: git lfs pull."
    case .annexPointer: "Fetch the content first: git annex get, or datalad get."
    case .html: "A download that needed a login, perhaps: fetch the file again."
    case .zip, .bzip2, .xz, .zstd: "Unpack it first."
    case .hdf5, .nrrd, .metaImage: "Convert it to NIfTI first."
    default: "Check that this is the file you mean."
    }
  }
}
