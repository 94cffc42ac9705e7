import Dispatch
import Foundation
import Synchronization

/// Loops shared between threads, with results that do not depend on how many there are.
///
/// Work is cut into chunks whose number is set by the caller from the size of the problem, never from
/// the number of threads; every chunk writes only what is its own, and sums are added in chunk order.
package enum Parallel {
  private static let limit = Atomic<Int>(0)

  /// Threads that a loop may use; at least 1. Starts as the number of cores this process may run on.
  package static var threads: Int {
    get {
      let chosen = limit.load(ordering: .relaxed)
      return chosen > 0 ? chosen : ProcessInfo.processInfo.activeProcessorCount
    }
    set { limit.store(max(1, newValue), ordering: .relaxed) }
  }

  /// Calls `body` once with every chunk number in `0..<chunks`, in no particular order.
  package static func forEach(_ chunks: Int, _ body: @Sendable (Int) -> Void) {
    let workers = min(threads, chunks)
    guard workers > 1 else {
      for chunk in 0..<max(chunks, 0) { body(chunk) }
      return
    }
    let next = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: workers) { _ in
      while true {
        let chunk = next.wrappingAdd(1, ordering: .relaxed).oldValue
        if chunk >= chunks { return }
        body(chunk)
      }
    }
  }

  /// Cuts `0..<count` into ranges of `size` (the last may be shorter) and calls `body` with each.
  package static func forEachRange(
    of count: Int, size: Int, _ body: @Sendable (Range<Int>) -> Void
  ) {
    forEach((count + size - 1) / size) { chunk in
      body(chunk * size..<min(count, (chunk + 1) * size))
    }
  }

  /// Two pieces of work side by side. Throws what the first throws, else what the second does.
  package static func both<First: Sendable, Second: Sendable>(
    _ first: @Sendable () throws -> First, _ second: @Sendable () throws -> Second
  ) throws -> (First, Second) {
    nonisolated(unsafe) var results: (Result<First, any Error>?, Result<Second, any Error>?)
    forEach(2) { part in
      if part == 0 {
        results.0 = Result { try first() }
      } else {
        results.1 = Result { try second() }
      }
    }
    guard let one = results.0, let other = results.1 else {
      preconditionFailure("a piece of work was left out")
    }
    return (try one.get(), try other.get())
  }

  /// One value per chunk, in chunk order.
  package static func map<Value: Sendable>(
    _ chunks: Int, _ body: @Sendable (Int) -> Value
  ) -> [Value] {
    var values = [Value?](repeating: nil, count: chunks)
    values.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let slots = buffer
      forEach(chunks) { slots[$0] = body($0) }
    }
    return values.compactMap { $0 }
  }
}
