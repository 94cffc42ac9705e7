import Foundation
import Networks

extension NetworkError: Diagnosable {
  package var diagnosis: Diagnosis {
    switch self {
    case .outOfMemory(let bytes):
      Diagnosis(
        "\(bytes / 1_048_576) MiB of memory are not to be had",
        hint: "Stop other programs, or use a machine with more memory.", status: .temporary)
    case .invalidShape(let reason):
      Diagnosis("the network cannot be built: \(reason)", status: .usage)
    case .diverged(let step):
      Diagnosis(
        "training diverged: the gradient of step \(step) is not a number",
        hint: "Train with a lower --learning-rate.", status: .usage)
    case .damagedFile(let path, let reason):
      Diagnosis(
        "\(path): not a whole safetensors file: \(reason)",
        hint: "Copy it again, or use an earlier checkpoint.", status: .badData)
    case .missingTensor(let path, let name):
      Diagnosis(
        "\(path): it has no tensor called \(name)", hint: "It was made for another network.",
        status: .badData)
    case .shapeMismatch(let path, let name, let found, let expected):
      Diagnosis(
        "\(path): tensor \(name) has shape \(found), expected \(expected)",
        hint: "It was made for another network, label table or grid.", status: .badData)
    case .inputOutput(let path, let operation, let code):
      Diagnosis(
        "\(path): cannot \(operation): \(String(cString: strerror(code)))",
        hint: code == ENOSPC
          ? "Make room on the disk." : "Check that the folder exists and may be written.",
        status: code == ENOENT && operation == "read" ? .noInput : .inputOutput)
    }
  }
}
