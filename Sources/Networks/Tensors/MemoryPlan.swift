/// Places tensors with known lifetimes in one piece of memory, so that those never alive together
/// share.
///
/// Steps are any increasing numbers: a tensor is alive from the step that first writes it to the
/// step that last reads it, both included. Placement is greedy, largest first, each at the lowest
/// free address.
package struct MemoryPlan {
  /// Names a reservation.
  package struct Handle: Hashable, Sendable {
    fileprivate let index: Int
  }

  private struct Reservation {
    let count: Int
    let steps: ClosedRange<Int>
    var offset = 0
  }

  private var reservations: [Reservation] = []
  /// Offsets are multiples of this many elements (one page, so that tensors never share a cache
  /// line).
  private static let alignment = 1024

  package init() {}

  /// Asks for `count` elements, alive during `steps`.
  package mutating func reserve(_ count: Int, steps: ClosedRange<Int>) -> Handle {
    let rounded = (count + Self.alignment - 1) / Self.alignment * Self.alignment
    reservations.append(Reservation(count: rounded, steps: steps))
    return Handle(index: reservations.count - 1)
  }

  /// Places every reservation; returns how many elements all of them need.
  package mutating func place() -> Int {
    var placed: [Reservation] = []
    let order = reservations.indices.sorted {
      (reservations[$0].count, $1) > (reservations[$1].count, $0)
    }
    for index in order {
      let wanted = reservations[index]
      let alive = placed.filter { $0.steps.overlaps(wanted.steps) }.sorted { $0.offset < $1.offset }
      var offset = 0
      for other in alive where offset + wanted.count > other.offset {
        offset = max(offset, other.offset + other.count)
      }
      reservations[index].offset = offset
      placed.append(reservations[index])
    }
    return placed.map { $0.offset + $0.count }.max() ?? 0
  }

  /// The part of `memory` that `place` gave to a reservation of `count` elements.
  package func tensor(_ handle: Handle, count: Int, in memory: Tensor) -> Tensor {
    memory.slice(reservations[handle.index].offset, count: count)
  }
}
