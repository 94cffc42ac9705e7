import Foundation

/// Threads that work on stages, one each.
final class Crew<Result: Sendable>: @unchecked Sendable {
  private let state = NSCondition()
  private var working = 0
  private var results: [(plan: StagePlan, result: Result)] = []

  /// Stages that are worked on.
  var count: Int { state.withLock { working } }

  /// Whether there is anything to wait for, or to be taken.
  var isWorking: Bool { state.withLock { working > 0 || !results.isEmpty } }

  /// Begins to work on a stage.
  func work(on plan: StagePlan, _ body: @escaping @Sendable () -> Result) {
    state.withLock { working += 1 }
    let thread = Thread { [self] in
      let result = body()
      state.withLock {
        working -= 1
        results.append((plan, result))
        state.broadcast()
      }
    }
    thread.name = plan.id
    thread.stackSize = 8 << 20
    thread.start()
  }

  /// Waits until there is a result to be taken; returns at once where there is nothing to wait for.
  func wait() {
    state.withLock {
      while results.isEmpty, working > 0 { state.wait() }
    }
  }

  /// Takes what is finished, in the order in which it was.
  func finished() -> [(plan: StagePlan, result: Result)] {
    state.withLock {
      defer { results = [] }
      return results
    }
  }
}
