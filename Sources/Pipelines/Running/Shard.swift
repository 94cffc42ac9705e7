/// One of equal parts of the work on many scans.
package struct Shard: Equatable, Sendable {
  /// From 0.
  package let index: Int
  package let count: Int

  /// From `i/n`, i counted from 1, or from `auto`: the task of a Slurm array, whatever number it starts at.
  ///
  /// - Throws: `PipelineError.badShard`, `.noArray`, `.badArray`.
  package init(_ text: String, environment: [String: String]) throws {
    if text == "auto" {
      func number(_ name: String) throws -> Int? {
        guard let text = environment["SLURM_ARRAY_TASK_" + name] else { return nil }
        guard let number = Int(text), (0...Int(Int32.max)).contains(number) else {
          throw PipelineError.badArray(variable: "SLURM_ARRAY_TASK_" + name, value: text)
        }
        return number
      }
      guard let task = try number("ID"), let count = try number("COUNT") else {
        throw PipelineError.noArray
      }
      // Tasks may be numbered in steps, as 1-9:2 is.
      let (first, last) = (try number("MIN") ?? 1, try number("MAX") ?? count)
      let step = try number("STEP") ?? (count > 1 ? max(1, (last - first) / (count - 1)) : 1)
      try self.init(index: (task - first) / max(1, step), count: count, text)
      return
    }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let index = Int(parts[0]), index >= 1, let count = Int(parts[1]) else {
      throw PipelineError.badShard(text)
    }
    try self.init(index: index - 1, count: count, text)
  }

  private init(index: Int, count: Int, _ text: String) throws {
    guard count >= 1, (0..<count).contains(index) else { throw PipelineError.badShard(text) }
    (self.index, self.count) = (index, count)
  }

  /// Whether a stage is for this shard: its share of those that can be shared out, and what they need.
  func includes(_ plan: StagePlan) -> Bool {
    plan.item.map { $0 % count == index } ?? !plan.gathers
  }
}
