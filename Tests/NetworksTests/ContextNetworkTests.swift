import Foundation
import Testing

@testable import Networks

extension NetworksTests {
  /// The network that makes residual logits of the posteriors around a voxel.
  @Suite struct ContextNetworkTests {
    private static let extents = Extents(6, 4, 8)

    /// A network with all weights drawn, those of the last layer too.
    private func network(trains: Bool, labels: Int = 18) throws -> ContextNetwork {
      let shape = ContextShape(labels: labels, features: 16, coarseFeatures: 16)
      let network = try ContextNetwork(shape, extents: Self.extents, trains: trains)
      network.parameters.all.assign(
        randomValues(network.parameters.all.count, seed: 3).map { 0.1 * $0 })
      network.update()
      return network
    }

    private func posteriors(_ network: ContextNetwork) throws -> Tensor {
      let plain = try Tensor(count: network.activation.plainCount)
      plain.assign(randomValues(plain.count, seed: 5).map { abs($0) })
      let q = try Tensor(count: network.activation.count)
      network.activation.pack(plain, into: q)
      return q
    }

    @Test func untrainedItChangesNothing() throws {
      let network = try ContextNetwork(
        ContextShape(labels: 18), extents: Self.extents, trains: false)
      network.parameters.initialize(seed: 1)
      network.update()
      #expect(network.parameters.all.elements.contains { $0 != 0 })
      let (q, r) = (try posteriors(network), try Tensor(count: network.activation.count))
      r.fill(with: 1)
      network.forward(q, into: r)
      #expect(r.elements.allSatisfy { $0 == 0 })
    }

    @Test func memoryMayBeShared() throws {
      let (training, network) = (try network(trains: true), try network(trains: false))
      let (q, r) = (try posteriors(network), try Tensor(count: network.activation.count))
      training.forward(q, into: r)
      #expect(r.elements.contains { abs($0) > 0.01 })
      network.forward(q, into: q)
      #expect(Array(q.elements) == Array(r.elements))
    }

    /// A part of the logits by itself is what it is among all; what posteriors are not part of it may be anything.
    @Test func partsAreThoseOfTheWhole() throws {
      let shape = ContextShape(labels: 18, features: 16, coarseFeatures: 16)
      let extents = Extents(22, 24, 40)
      let network = try ContextNetwork(shape, extents: extents, trains: false)
      network.parameters.all.assign(randomValues(network.parameters.all.count, seed: 3))
      network.update()
      let q = try posteriors(network)
      let (all, own) = (try Tensor(count: q.count), try Tensor(count: q.count))
      network.forward(q, into: all)
      let wanted = RowSpans(extents) { plane, row in
        (plane - 10) * (plane - 10) + (row - 9) * (row - 9) < 9
          ? 15 + plane % 3..<19 + row % 5 : 0..<0
      }
      let parts = ContextParts(wanted)
      #expect(parts.posteriors.count < extents.count * 2 / 3)
      func holds(_ spans: RowSpans, _ voxel: Int) -> Bool {
        spans.range(
          plane: voxel / extents.width / extents.height,
          row: voxel / extents.width % extents.height
        ).contains(voxel % extents.width)
      }
      for i in 0..<q.count where !holds(parts.posteriors, i / 16 % extents.count) {
        q.pointer[i] = .nan
      }
      network.forward(q, into: own, parts)
      var judged = 0
      for i in 0..<q.count where holds(wanted, i / 16 % extents.count) {
        judged += 1
        #expect(own.pointer[i] == all.pointer[i])
      }
      #expect(judged == 32 * wanted.count && wanted.count > 50)
    }

    /// Logits of a few planes at a time are those of all at once, though each layer makes each plane once; what
    /// posteriors are not asked for may be anything.
    @Test func windowsMakeWhatTheWholeMakes() throws {
      let shape = ContextShape(labels: 18, features: 16, coarseFeatures: 16)
      let reach = ContextShape.reach
      let extents = Extents(2 * reach + 14, 20, 24)
      func network(_ extents: Extents) throws -> ContextNetwork {
        let network = try ContextNetwork(shape, extents: extents, trains: false)
        network.parameters.all.assign(randomValues(network.parameters.all.count, seed: 3))
        network.update()
        return network
      }
      let whole = try network(extents)
      let (q, all) = (try posteriors(whole), try Tensor(count: whole.activation.count))
      whole.forward(q, into: all)
      // A part that grows and shrinks from plane to plane.
      let wanted = RowSpans(extents) { plane, row in
        let isWanted = plane >= reach && plane < extents.depth - reach && (row + plane) % 9 < 5
        return isWanted ? 6 + plane % 5..<11 + row % 7 : 0..<0
      }
      let parts = ContextParts(wanted)
      let depth = 2 * reach + 4
      let walking = try network(Extents(depth, extents.height, extents.width))
      let (own, logits) = (
        try Tensor(count: walking.activation.count), try Tensor(count: walking.activation.count)
      )
      own.fill(with: .nan)
      let plane = extents.height * extents.width
      var (judged, posteriorsMade) = (0, 0)
      for from in stride(from: reach, to: extents.depth - reach, by: 4) {
        let range = from..<min(from + 4, extents.depth - reach)
        if from > reach { walking.advance(own, by: 4) }
        let window = parts.window(range, depth: depth, goesOn: from > reach)
        posteriorsMade += window.posteriors.count
        func visit(_ spans: RowSpans, _ body: (_ own: Int, _ whole: Int) -> Void) {
          for z in 0..<depth {
            for y in 0..<extents.height {
              for x in spans.range(plane: z, row: y) {
                let voxel = z * plane + y * extents.width + x
                for channel in 0..<32 {
                  body(
                    walking.activation.index(channel: channel, voxel: voxel),
                    whole.activation.index(
                      channel: channel, voxel: voxel + (from - reach) * plane))
                }
              }
            }
          }
        }
        visit(window.posteriors) { own.pointer[$0] = q.pointer[$1] }
        walking.forward(own, into: logits, window)
        let here = RowSpans(walking.activation.extents) { z, y in
          range.contains(z + from - reach)
            ? wanted.range(plane: z + from - reach, row: y) : 0..<0
        }
        visit(here) {
          judged += 1
          #expect(logits.pointer[$0] == all.pointer[$1])
        }
      }
      #expect(judged == 32 * wanted.count && wanted.count > 500)
      #expect(posteriorsMade <= parts.posteriors.count)
    }

    /// What lies `ContextShape.reach` voxels away, and no nearer, has no part in a voxel's logits.
    @Test func reachIsWhatItSays() throws {
      let shape = ContextShape(labels: 3, features: 16, coarseFeatures: 16)
      let network = try ContextNetwork(shape, extents: Extents(2, 2, 64), trains: false)
      network.parameters.all.assign(randomValues(network.parameters.all.count, seed: 3))
      network.update()
      let (q, r) = (try Tensor(count: 4096), try Tensor(count: 4096))
      for at in [20, 21, 32, 33] {
        func logits(_ value: Float) -> [Float] {
          q.fill(with: 0.2)
          for row in 0..<4 { q.pointer[(row * 64 + at) * 16] = value }
          network.forward(q, into: r)
          return (0..<64).map { r.pointer[$0 * 16] }
        }
        let (first, second) = (logits(0.2), logits(0.9))
        let changed = (0..<64).filter { first[$0] != second[$0] }
        #expect(changed.contains(at))
        #expect(changed.allSatisfy { abs($0 - at) <= ContextShape.reach }, "\(at): \(changed)")
      }
    }

    @Test func gradientsMatchDifferences() throws {
      let network = try network(trains: true)
      let q = try posteriors(network)
      let (r, dr) = (
        try Tensor(count: network.activation.count), try Tensor(count: network.activation.count)
      )
      let plain = try Tensor(count: network.activation.plainCount)
      plain.assign(randomValues(plain.count, seed: 9))
      network.activation.pack(plain, into: dr)
      let weights = Array(dr.elements)
      func loss() -> Double {
        network.forward(q, into: r)
        return zip(r.elements, weights).reduce(0) { $0 + Double($1.0) * Double($1.1) }
      }
      _ = loss()
      network.backward(q, r: r, dr: dr)
      let gradients = try #require(network.gradients)
      let all = network.parameters.all
      for parameter in network.parameters.list.parameters {
        // Along the gradient of each parameter by itself: its length is the slope.
        let gradient = Array(gradients[parameter].elements)
        let norm = gradient.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        #expect(norm > 0, "\(parameter.name)")
        let step = 1e-3
        func moved(_ sign: Double) -> Double {
          let before = Array(all.elements)
          for i in gradient.indices {
            all.pointer[parameter.offset + i] += Float(sign * step * Double(gradient[i]) / norm)
          }
          network.update()
          defer {
            all.assign(before)
            network.update()
          }
          return loss()
        }
        let slope = (moved(1) - moved(-1)) / (2 * step)
        // Single precision leaves 1e-7 of a sum of about 1000.
        #expect(abs(slope - norm) < 2e-2 * norm + 0.1, "\(parameter.name): \(slope) for \(norm)")
      }
    }

    @Test func oddTilesAreRefused() {
      #expect(throws: NetworkError.self) {
        try ContextNetwork(ContextShape(labels: 3), extents: Extents(3, 4, 4), trains: false)
      }
    }
  }
}
