import Networks
import Testing

@testable import Reports

/// The words of network errors, and their exit codes.
@Suite struct NetworksDiagnosisTests {
  @Test(arguments: [
    (
      NetworkError.outOfMemory(bytes: 3 << 30), "3072 MiB of memory are not to be had",
      Reports.ExitStatus.temporary
    ),
    (
      .invalidShape(reason: "labels (=300) must be 1 to 255"),
      "the network cannot be built: labels (=300) must be 1 to 255", .usage
    ),
    (
      .damagedFile(path: "a", reason: "its content does not match its digest"),
      "a: not a whole safetensors file: its content does not match its digest", .badData
    ),
    (
      .diverged(step: 7), "training diverged: the gradient of step 7 is not a number", .usage
    ),
    (.missingTensor(path: "a", name: "b"), "a: it has no tensor called b", .badData),
    (
      .shapeMismatch(path: "a", name: "b", found: [2], expected: [3, 1]),
      "a: tensor b has shape [2], expected [3, 1]", .badData
    ),
    (
      .inputOutput(path: "a", operation: "read", errno: 2),
      "a: cannot read: No such file or directory", .noInput
    ),
    (
      .inputOutput(path: "a", operation: "write", errno: 28),
      "a: cannot write: No space left on device", .inputOutput
    ),
  ])
  func words(error: NetworkError, message: String, status: Reports.ExitStatus) {
    let diagnosis = Diagnosis(of: error)
    #expect(diagnosis.message == message)
    #expect(diagnosis.status == status)
  }
}
