/// A position between the nodes of a lattice.
struct LatticePoint {
  private let first: Int
  private let steps: (x: Int, y: Int, z: Int)
  private let share: SIMD3<Float>

  /// `at` lies within the lattice, along width, height and depth.
  init(_ at: SIMD3<Float>, _ nodes: Extents) {
    let low = at.rounded(.down)
    let (x, y, z) = (Int(low.x), Int(low.y), Int(low.z))
    share = at - low
    first = (z * nodes.height + y) * nodes.width + x
    steps = (
      x + 1 < nodes.width ? 16 : 0, y + 1 < nodes.height ? 16 * nodes.width : 0,
      z + 1 < nodes.depth ? 16 * nodes.width * nodes.height : 0
    )
  }

  /// Sixteen channels, linear between the nodes.
  func value(_ channels: UnsafePointer<Float>) -> SIMD16<Float> {
    let start = UnsafeRawPointer(channels + first * 16)
    func load(_ offset: Int) -> SIMD16<Float> {
      start.loadUnaligned(fromByteOffset: 4 * offset, as: SIMD16<Float>.self)
    }
    func row(_ offset: Int) -> SIMD16<Float> {
      let low = load(offset)
      return low + share.x * (load(offset + steps.x) - low)
    }
    func plane(_ offset: Int) -> SIMD16<Float> {
      let low = row(offset)
      return low + share.y * (row(offset + steps.y) - low)
    }
    let low = plane(0)
    return low + share.z * (plane(steps.z) - low)
  }
}
