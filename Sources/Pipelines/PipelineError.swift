/// What can go wrong between the stages of a pipeline.
package enum PipelineError: Error, Equatable, Sendable {
  /// Another process works on the stage, and did so for as long as was waited.
  case locked(stage: String, holder: LockHolder?, seconds: Double)
  /// A process on another machine holds the lock; whether it still lives cannot be told from here.
  case lockedElsewhere(stage: String, holder: LockHolder, lock: String)
  /// A file that no stage made lies where an output belongs.
  case foreignOutput(path: String)
  /// A stage ended without an output that it declares.
  case missingOutput(stage: String, path: String)
  /// No stage of this name.
  case unknownStage(String, known: [String])
  /// No stage both needs `from` and is needed by `until`.
  case nothingBetween(from: String, until: String)
  /// Stages that wait for each other.
  case cycle([String])
  /// Two stages that would write the same file; `inputs` are what each reads alone, or first of all.
  case sameOutput(path: String, stages: [String], inputs: [String])
  /// The folder holds no plan of a run, or a damaged one.
  case noPlan(workspace: String)
  /// A shard that is no `i/n` with 1 <= i <= n.
  case badShard(String)
  /// `auto` where no Slurm array says which shard this is.
  case noArray
  /// A variable of a Slurm array that is no number such as Slurm gives.
  case badArray(variable: String, value: String)
}
