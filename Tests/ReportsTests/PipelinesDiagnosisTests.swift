import Pipelines
import Testing

@testable import Reports

/// The words of pipelines' errors and reasons, and the exit codes.
@Suite struct PipelinesDiagnosisTests {
  private static let holder = LockHolder(pid: 7, started: nil, boot: "b", host: "node3")

  @Test(arguments: [
    (
      PipelineError.locked(stage: "segment/a", holder: holder, seconds: 60),
      "segment/a: process 7 works on it, and did so for 60 s", Reports.ExitStatus.temporary
    ),
    (
      .lockedElsewhere(stage: "segment/a", holder: holder, lock: "w/a.lock"),
      "segment/a: process 7 on node3 works on it, or did when it ended", .temporary
    ),
    (
      .foreignOutput(path: "w/a"), "w/a: already exists, and segpipe did not make it",
      .cannotCreate
    ),
    (.missingOutput(stage: "s", path: "o"), "s ended without writing o", .internalError),
    (.unknownStage("x", known: ["a"]), "there is no stage 'x'", .usage),
    (
      .nothingBetween(from: "b", until: "a"),
      "no stage lies between 'b' and 'a': 'a' does not need 'b'", .usage
    ),
    (.cycle(["a", "b"]), "these stages wait for each other: a, b", .usage),
    (
      .sameOutput(path: "o", stages: ["b", "a"], inputs: ["x", "y"]), "a and b would both write o",
      .usage
    ),
    (
      .sameOutput(path: "o", stages: ["a", "a"], inputs: ["x/s.nii", "y/s.nii"]),
      "x/s.nii and y/s.nii would both write o", .usage
    ),
    (
      .sameOutput(path: "o", stages: ["a", "a"], inputs: ["s.nii", "s.nii"]),
      "s.nii is there twice, and would write o twice", .usage
    ),
    (.noPlan(workspace: "w"), "w: no workspace in which a pipeline was run", .noInput),
    (.badShard("3/2"), "--shard is '3/2'; it must be i/n with i from 1 to n, or auto", .usage),
    (
      .noArray,
      "--shard auto: no task of a Slurm array, SLURM_ARRAY_TASK_ID and _COUNT are not set", .usage
    ),
    (
      .badArray(variable: "SLURM_ARRAY_TASK_ID", value: "x"),
      "--shard auto: SLURM_ARRAY_TASK_ID is 'x', expected a whole number from 0 to 2147483647",
      .usage
    ),
  ])
  func words(error: PipelineError, message: String, status: Reports.ExitStatus) {
    let diagnosis = Diagnosis(of: error)
    #expect(diagnosis.message == message)
    #expect(diagnosis.status == status)
  }

  @Test func reasons() {
    let reasons: [RedoReason] = [
      .parameterChanged(name: "warp", from: .flag(true), to: nil), .inputChanged(name: "scan"),
      .versionChanged(from: 1, to: 2), .outputMissing(path: "o"), .neverDone,
    ]
    #expect(
      reasons.text == "warp was true, and is not set; input scan has changed; its version was 1, "
        + "and is 2; and 2 more")
    #expect(
      RedoReason.parameterChanged(name: "n", from: .number(2), to: .list([.number(0.5), .null]))
        .text
        == "n was 2, and is [0.5, null]")
  }
}
