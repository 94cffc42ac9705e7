import Pipelines

extension PipelineError: Diagnosable {
  package var diagnosis: Diagnosis {
    switch self {
    case .locked(let stage, let holder, let seconds):
      Diagnosis(
        "\(stage): \(holder.map { "process \($0.pid)" } ?? "another process") works on it, and did "
          + "so for \(Int(seconds)) s",
        hint: "Wait until that run has ended, or give --wait more seconds.", status: .temporary)
    case .lockedElsewhere(let stage, let holder, let lock):
      Diagnosis(
        "\(stage): process \(holder.pid) on \(holder.host) works on it, or did when it ended",
        hint: "If nothing of segpipe runs there any more, remove \(lock).", status: .temporary)
    case .foreignOutput(let path):
      Diagnosis(
        "\(path): already exists, and segpipe did not make it",
        hint: "Name another folder with --workspace, or move the file away.",
        status: .cannotCreate)
    case .missingOutput(let stage, let path):
      Diagnosis("\(stage) ended without writing \(path)", status: .internalError)
    case .unknownStage(let name, let known):
      Diagnosis(
        "there is no stage '\(name)'", hint: "Stages are \(known.joined(separator: ", ")).",
        status: .usage)
    case .nothingBetween(let from, let until):
      Diagnosis(
        "no stage lies between '\(from)' and '\(until)': '\(until)' does not need '\(from)'",
        hint: "Leave out --from or --until.", status: .usage)
    case .cycle(let stages):
      Diagnosis(
        "these stages wait for each other: \(stages.joined(separator: ", "))", status: .usage)
    case .sameOutput(let path, let stages, let inputs):
      Diagnosis(
        Self.clash(Set(stages).count > 1 ? stages : inputs, path),
        hint: "Give each scan once, scans different names, and stages too.", status: .usage)
    case .noPlan(let workspace):
      Diagnosis(
        "\(workspace): no workspace in which a pipeline was run",
        hint: "Name the folder with --workspace, or run a pipeline with segpipe run.",
        status: .noInput)
    case .badShard(let text):
      Diagnosis(
        "--shard is '\(text)'; it must be i/n with i from 1 to n, or auto", status: .usage)
    case .noArray:
      Diagnosis(
        "--shard auto: no task of a Slurm array, SLURM_ARRAY_TASK_ID and _COUNT are not set",
        hint: "Submit with sbatch --array, or give --shard i/n.", status: .usage)
    case .badArray(let variable, let value):
      Diagnosis(
        "--shard auto: \(variable) is '\(value)', expected a whole number from 0 to \(Int32.max)",
        hint: "Submit with sbatch --array, or give --shard i/n.", status: .usage)
    }
  }

  private static func clash(_ makers: [String], _ path: String) -> String {
    let names = Set(makers).sorted()
    return names.count > 1
      ? "\(names.joined(separator: " and ")) would both write \(path)"
      : "\(names.first ?? "one stage") is there twice, and would write \(path) twice"
  }
}
