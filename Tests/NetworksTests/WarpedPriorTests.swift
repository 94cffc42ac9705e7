import CKernels
import Foundation
import Parallel
import Testing

import Networks

extension NetworksTests {
  /// The fused pass that warps a prior against its formulas written out in double precision.
  @Suite struct WarpedPriorTests {
    static let extents = Extents(8, 12, 16)
    static let factor = 4

    /// A prior with pure regions and mixed ones, displacement and logits at random.
    struct Problem: @unchecked Sendable {
      let labels: Int
      let extents: Extents
      let dense: [[Double]]
      let layer: WarpedPrior
      var shift: [Float]
      var logits: [Float]

      init(labels: Int, extents: Extents = WarpedPriorTests.extents) {
        self.labels = labels
        self.extents = extents
        var random = Philox(seed: 3)
        var (starts, entries): ([UInt32], [UInt16]) = ([0], [])
        var dense: [[Double]] = []
        for voxel in 0..<extents.count {
          // The first half along the fastest axis is label 0 alone.
          var shares = [Int: Int]()
          if voxel % extents.width < 6 {
            shares[0] = 255
          } else {
            var left = 255
            for _ in 0..<3 {
              let share = Int.random(in: 0...left, using: &random)
              shares[Int.random(in: 0..<labels, using: &random), default: 0] += share
              left -= share
            }
            shares[labels - 1, default: 0] += left
          }
          var row = [Double](repeating: 0, count: labels)
          for (label, share) in shares.sorted(by: { $0.key < $1.key }) where share > 0 {
            entries.append(UInt16(label << 8 | share))
            row[label] = Double(share) / 255
          }
          starts.append(UInt32(entries.count))
          dense.append(row)
        }
        self.dense = dense
        layer = WarpedPrior(
          BytePrior(extents: extents, labels: labels, starts: starts, entries: entries),
          factor: WarpedPriorTests.factor, floor: 1e-3, reach: 3)
        shift = randomValues(layer.shift.plainCount, seed: 5).map { 0.4 * $0 }
        logits = randomValues(layer.logits.plainCount, seed: 6)
      }

      func packed(_ plain: [Float], _ shape: ActivationShape) throws -> Tensor {
        let result = try Tensor(count: shape.count)
        shape.pack(try tensor(plain), into: result)
        return result
      }

      func loss(_ observed: Observation) throws -> Double {
        layer.loss(
          shift: try packed(shift, layer.shift), logits: try packed(logits, layer.logits),
          observed: observed)
      }

      /// Both gradients, displacement first, in the plain layout.
      func gradient(_ observed: Observation) throws -> [Float] {
        let parts = try [layer.shift, layer.logits].map { try Tensor(count: $0.count) }
        _ = layer.loss(
          shift: try packed(shift, layer.shift), logits: try packed(logits, layer.logits),
          observed: observed, gradients: (parts[0], parts[1]))
        return try zip(parts, [layer.shift, layer.logits]).flatMap { part, shape in
          let plain = try Tensor(count: shape.plainCount)
          shape.unpack(part, into: plain)
          return Array(plain.elements)
        }
      }

      var formulas: WarpReference {
        WarpReference(
          extents: extents, factor: WarpedPriorTests.factor, labels: labels,
          floor: 1e-3, reach: 3, dense: dense)
      }

      func masses(_ z: Int, _ y: Int, _ x: Int) -> [Double] {
        formulas.masses(
          z, y, x, shift: shift.map(Double.init), logits: logits.map(Double.init))
      }

      func reference(_ observed: Observation) -> Double {
        formulas.loss(
          shift: shift.map(Double.init), logits: logits.map(Double.init), observed: observed)
      }
    }

    static let kinds = ["labels", "weighted", "jensen", "exact", "square"]

    static func observation(
      _ kind: String, labels: Int, voxels: Int = extents.count
    ) -> Observation {
      var random = Philox(seed: 9)
      switch kind {
      case "labels", "weighted":
        // One above the last label is unknown.
        return .labels(
          (0..<voxels).map { _ in UInt8(Int.random(in: 0...labels, using: &random)) },
          weights: kind == "labels" ? nil : (0..<labels).map { 0.1 + 0.2 * Float($0) })
      default:
        let codes = (0..<voxels).map { voxel in
          voxel % 11 == 0 ? Observation.unobserved : UInt16.random(in: 0..<7, using: &random)
        }
        let table = ObservationTable(codes: 7, labels: labels) { code, label in
          let log = -0.5 * Float((code * 5 + label * 3) % 7)
          return kind == "exact" ? exp(log) : log
        }
        return switch kind {
        case "jensen": .jensen(codes: codes, table: table)
        case "square": .square(codes: codes, table: table)
        default: .exact(codes: codes, table: table)
        }
      }
    }

    /// Logits of x are found where x + reach shift(x) lies, by an inversion in double precision that does not stop early.
    @Test func logitsAreCarriedToWhereThePriorLies() throws {
      var problem = Problem(labels: 20, extents: Extents(32, 36, 40))
      let nodes = problem.layer.logits.extents
      let (width, height) = (nodes.width, nodes.height)
      problem.shift = (0..<3 * nodes.count).map { i in
        let (x, y, z) = (i % width, i / width % height, i % nodes.count / (width * height))
        return 0.5 * sin(0.5 * Float(x) + 0.3 * Float(y) - 0.4 * Float(z) + Float(i / nodes.count))
      }
      let carried = try Tensor(count: problem.layer.logits.count)
      problem.layer.carry(
        try problem.packed(problem.logits, problem.layer.logits),
        by: try problem.packed(problem.shift, problem.layer.shift), weight: 0.5, into: carried)
      let plain = try Tensor(count: problem.layer.logits.plainCount)
      problem.layer.logits.unpack(carried, into: plain)

      func value(_ values: [Float], _ channel: Int, _ at: SIMD3<Double>) -> Double {
        var sum = 0.0
        for corner in 0..<8 {
          let offset = SIMD3(corner & 1, corner >> 1 & 1, corner >> 2)
          let low = SIMD3<Int>(at.rounded(.down))
          let share = at - SIMD3<Double>(low)
          let node = low &+ offset
          let weight = (0..<3).reduce(1.0) {
            $0 * (offset[$1] == 1 ? share[$1] : 1 - share[$1])
          }
          if weight == 0 { continue }
          let index = (node.z * height + node.y) * width + node.x
          sum += weight * Double(values[channel * nodes.count + index])
        }
        return sum
      }
      let most = SIMD3(Double(width - 1), Double(height - 1), Double(nodes.depth - 1))
      var moved = 0
      for node in 0..<nodes.count {
        let place = SIMD3(
          Double(node % width), Double(node / width % height), Double(node / (width * height)))
        var at = place
        for _ in 0..<60 {
          let shift = SIMD3(
            value(problem.shift, 0, at), value(problem.shift, 1, at), value(problem.shift, 2, at))
          at = (place - 3.0 / 4 * shift).clamped(lowerBound: .zero, upperBound: most)
        }
        if ((at - place) * (at - place)).sum() > 0.04 { moved += 1 }
        for label in [0, 7, 19] {
          let expected = 0.5 * value(problem.logits, label, at)
          #expect(abs(Double(plain.pointer[label * nodes.count + node]) - expected) < 2e-2)
        }
      }
      #expect(moved > nodes.count / 2)
    }

    @Test(arguments: [5, 16, 42], kinds)
    func lossMatchesTheFormulas(labels: Int, kind: String) throws {
      let problem = Problem(labels: labels)
      let observed = Self.observation(kind, labels: labels)
      let expected = problem.reference(observed)
      for level in Int32(0)...2 {
        segpipe_limit_kernel_level(level)
        defer { segpipe_limit_kernel_level(2) }
        let found = try problem.loss(observed)
        #expect(abs(found - expected) < 1e-5 * abs(expected), "\(found), \(expected)")
      }
    }

    /// Against finite differences of the formulas. The displacement's step is small, since the prior
    /// is linear only within a voxel.
    @Test(arguments: [5, 42], kinds)
    func gradientsMatchFiniteDifferences(labels: Int, kind: String) throws {
      let problem = Problem(labels: labels)
      let observed = Self.observation(kind, labels: labels)
      let gradient = try problem.gradient(observed)
      let largest = gradient.map { abs(Double($0)) }.max() ?? 0
      var random = Philox(seed: 12)
      for check in 0..<24 {
        let isShift = check % 2 == 0
        let count = isShift ? problem.shift.count : problem.logits.count
        let element = Int.random(in: 0..<count, using: &random)
        let step: Float = isShift ? 1e-4 : 1e-3
        var (above, below) = (problem, problem)
        if isShift {
          above.shift[element] += step
          below.shift[element] -= step
        } else {
          above.logits[element] += step
          below.logits[element] -= step
        }
        let width =
          isShift
          ? Double(above.shift[element]) - Double(below.shift[element])
          : Double(above.logits[element]) - Double(below.logits[element])
        let expected = (above.reference(observed) - below.reference(observed)) / width
        let found = Double(gradient[isShift ? element : problem.shift.count + element])
        #expect(
          abs(found - expected) < 1e-3 * abs(expected) + 2e-4 * largest,
          "\(isShift ? "shift" : "logit") \(element): \(found), \(expected)")
      }
    }

    @Test func partsAddUpToAll() throws {
      let problem = Problem(labels: 42)
      let observed = Self.observation("labels", labels: 42)
      let (shift, logits) = (
        try problem.packed(problem.shift, problem.layer.shift),
        try problem.packed(problem.logits, problem.layer.logits)
      )
      let parts = (0..<4).map { phase in
        problem.layer.loss(
          shift: shift, logits: logits, observed: observed,
          part: VoxelPart(stride: 4, phase: phase))
      }
      let all = try problem.loss(observed)
      #expect(abs(parts.reduce(0, +) - all) < 1e-6 * all)
      #expect(parts.allSatisfy { $0 > 0.1 * all })
    }

    @Test func sameBitsForAnyNumberOfThreads() throws {
      let before = Parallel.threads
      defer { Parallel.threads = before }
      let problem = Problem(labels: 42)
      let observed = Self.observation("labels", labels: 42)
      let runs = try [1, 2, 3].map { threads in
        Parallel.threads = threads
        return try problem.gradient(observed).map(\.bitPattern)
          + [Float(try problem.loss(observed)).bitPattern]
      }
      #expect(runs.allSatisfy { $0 == runs[0] })
    }

    @Test func probabilitiesAndNormaliserMatchTheFormulas() throws {
      let problem = Problem(labels: 42)
      let extents = Self.extents
      let normaliser = try Tensor(count: extents.count)
      let (shift, logits) = (
        try problem.packed(problem.shift, problem.layer.shift),
        try problem.packed(problem.logits, problem.layer.logits)
      )
      let labels = problem.layer.mostProbable(
        shift: shift, logits: logits, logNormaliser: normaliser)
      let slice = extents.height * extents.width
      problem.layer.forEachPlane(shift: shift, logits: logits) { z, values in
        for y in 0..<extents.height {
          for x in 0..<extents.width {
            let masses = problem.masses(z, y, x)
            let sum = masses.reduce(0, +)
            for label in 0..<42 {
              let found = Double(values[(y * extents.width + x) * 48 + label])
              #expect(abs(found - masses[label] / sum) < 1e-5)
            }
            #expect(
              abs(Double(normaliser.pointer[z * slice + y * extents.width + x]) - log(sum)) < 1e-5)
            let best = Int(labels[z * slice + y * extents.width + x])
            #expect(masses[best] >= (masses.max() ?? 0) * (1 - 1e-5))
          }
        }
      }
    }

    /// With everything at zero the prior itself is left.
    @Test func noDisplacementAndNoLogitsLeaveThePrior() throws {
      var problem = Problem(labels: 5)
      problem.shift = problem.shift.map { _ in 0 }
      problem.logits = problem.logits.map { _ in 0 }
      let (shift, logits) = (
        try problem.packed(problem.shift, problem.layer.shift),
        try problem.packed(problem.logits, problem.layer.logits)
      )
      let labels = problem.layer.mostProbable(shift: shift, logits: logits)
      for voxel in 0..<Self.extents.count {
        let row = problem.dense[voxel]
        // The last plane along each axis is read a thousandth of a voxel before its end.
        #expect(row[Int(labels[voxel])] >= (row.max() ?? 0) - 0.005)
      }
    }
  }
}
