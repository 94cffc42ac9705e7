import CKernels
import Glibc

/// Single-precision numbers in memory aligned for vector instructions.
///
/// A tensor is either memory of its own, zero at first, or a part of another's (see `slice`), which
/// it keeps alive. It has no lock: writers must not overlap with readers.
package final class Tensor: @unchecked Sendable {
  /// Number of elements.
  package let count: Int
  /// The first element; valid while the tensor lives.
  package let pointer: UnsafeMutablePointer<Float>
  private let owner: Tensor?

  /// Memory for `count` elements, all zero. Throws `NetworkError.outOfMemory`.
  package init(count: Int) throws {
    let bytes = max(count, 1) * MemoryLayout<Float>.stride
    let rounded = (bytes + 4095) & ~4095
    // Anonymous pages arrive zeroed when first touched, so memory that is never used costs nothing.
    let address = mmap(nil, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let address, address != MAP_FAILED else {
      throw NetworkError.outOfMemory(bytes: bytes)
    }
    if rounded >= 1 << 22 { madvise(address, rounded, MADV_HUGEPAGE) }
    self.count = count
    self.pointer = address.bindMemory(to: Float.self, capacity: max(count, 1))
    self.owner = nil
  }

  private init(of owner: Tensor, at offset: Int, count: Int) {
    self.count = count
    self.pointer = owner.pointer + offset
    self.owner = owner
  }

  deinit {
    if owner == nil {
      munmap(pointer, (max(count, 1) * MemoryLayout<Float>.stride + 4095) & ~4095)
    }
  }

  /// `count` elements from `offset`, sharing this tensor's memory.
  package func slice(_ offset: Int, count: Int) -> Tensor {
    precondition(
      offset >= 0 && count >= 0 && offset + count <= self.count,
      "slice \(offset)..<\(offset + count) of a tensor of \(self.count) elements")
    return Tensor(of: self, at: offset, count: count)
  }

  /// The elements as a collection; valid while the tensor lives.
  package var elements: UnsafeMutableBufferPointer<Float> { .init(start: pointer, count: count) }

  /// Sets every element.
  package func fill(with value: Float) { elements.update(repeating: value) }

  /// Copies `values`, of which there must be `count`.
  package func assign(_ values: some Collection<Float>) {
    precondition(values.count == count, "\(values.count) values for \(count) elements")
    _ = elements.update(fromContentsOf: values)
  }

  /// Adds another tensor's elements to this one's.
  package func add(_ other: Tensor) {
    precondition(other.count == count, "\(other.count) elements added to \(count)")
    segpipe_add(other.pointer, pointer, count)
  }
}
