/// Voxels that a loss is summed over: all, or every `stride`-th of the cells between lattice nodes,
/// taken on diagonals; the phases 0 ..< stride together are all voxels once.
package struct VoxelPart: Hashable, Sendable {
  package let stride: Int
  package let phase: Int

  package init(stride: Int, phase: Int) {
    precondition(stride > 0 && (0..<stride).contains(phase), "phase \(phase) of \(stride)")
    self.stride = stride
    self.phase = phase
  }

  package static let all = VoxelPart(stride: 1, phase: 0)
}
