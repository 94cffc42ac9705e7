import Foundation
import Imaging
import Networks
import Parallel

/// Random variations of label maps on the atlas grid, so that a prior learned from few maps does
/// not merely remember them.
///
/// A variation is the map or its mirror image, moved by an affine and a smooth deformation, with
/// ventricles of another size and a cortex of another thickness. It depends on the settings, the
/// map and the state of the random numbers alone, not on the number of threads.
package struct MapAugmentation: Sendable {
  package let maps: AlignedMaps
  package let settings: Settings
  /// What can be done to the ventricles of each map and of each mirror image; nil where it has
  /// none.
  private let flows: [VentricleFlow?]
  private let mirroredFlows: [VentricleFlow?]
  private let cortex: CortexChange?

  /// Distance of the nodes between which displacements are linear, mm.
  static let latticeSpacing = 4.0
  /// Volumes of ventricles to draw from, relative to the map's own.
  private static let ventricleRatios = (least: 0.5, most: 3.0)
  /// No ventricles are made larger than this, mm3: those of old people with dementia.
  private static let largestVentricles = 120_000.0

  /// Prepares what each map needs. Where the table names no ventricles or no cortex as FreeSurfer
  /// does, they are not varied.
  package init(_ maps: AlignedMaps, settings: Settings = Settings()) {
    self.maps = maps
    self.settings = settings
    let (grid, table) = (maps.space.grid, maps.space.table)
    cortex = settings.cortex > 0 ? CortexChange(table, extents: grid.extents) : nil
    let members = VentricleFlow.labels(of: table)
    guard settings.ventricles > 0, members.contains(true) else {
      flows = maps.maps.map { _ in nil }
      mirroredFlows = flows
      return
    }
    let all = maps.maps
    flows = Parallel.map(all.count) {
      VentricleFlow(all[$0].channels, members, grid, spacing: Self.latticeSpacing)
    }
    mirroredFlows = Parallel.map(all.count) { i in
      all[i].mirrored.flatMap {
        VentricleFlow($0, members, grid, spacing: Self.latticeSpacing)
      }
    }
  }

  /// Streams of random numbers, one for each kind of variation: switching one off changes no other.
  private enum Stream: UInt64 {
    case mirror, affine, shape, detail, ventricles, cortex, strength
  }

  /// A variation of the map at `index`, `grid.count` positions in the table, `ChannelMap.missing`
  /// where nothing is known. Takes two words from `random`, whatever the settings.
  package func draw(_ index: Int, random: inout Philox) -> [UInt8] {
    var result: [UInt8] = []
    draw(index, random: &random, into: &result)
    return result
  }

  /// As above, into an array whose memory is used again.
  package func draw(_ index: Int, random: inout Philox, into result: inout [UInt8]) {
    let seed = random.next()
    let map = maps.maps[index]
    var side = Philox(seed: seed, stream: Stream.mirror.rawValue)
    let mirrored = Double(side.uniform()) < settings.mirror ? map.mirrored : nil
    let flow = mirrored == nil ? flows[index] : mirroredFlows[index]
    let source = mirrored ?? map.channels
    let displacement = displacement(seed: seed, flow: flow)
    if result.count != source.count {
      result = [UInt8](repeating: ChannelMap.missing, count: source.count)
    }
    guard let cortex else {
      displacement.sample(source, on: maps.space.grid, into: &result)
      return
    }
    let moved = [UInt8](unsafeUninitializedCapacity: source.count) { buffer, filled in
      displacement.sample(source, on: maps.space.grid, into: buffer)
      filled = source.count
    }
    var random = Philox(seed: seed, stream: Stream.cortex.rawValue)
    cortex.apply(to: moved, on: maps.space.grid, share: settings.cortex, &random, into: &result)
  }

  /// From a variation's positions back to the map's: affine, deformation and ventricles in one.
  func displacement(seed: UInt64, flow: VentricleFlow?) -> Displacement {
    let grid = maps.space.grid
    func random(_ stream: Stream) -> Philox { Philox(seed: seed, stream: stream.rawValue) }
    // Some variations stay close to the map, so that how people really differ is not drowned.
    var draw = random(.strength)
    let settings = settings.scaled(by: Double(draw.uniform()))
    var field = Displacement(over: grid, spacing: Self.latticeSpacing)
    if settings.shape > 0 {
      var random = random(.shape)
      field.addSpline(
        over: grid, controls: settings.shapeSpacing, deviation: settings.shape, &random)
    }
    if settings.detail > 0 {
      var random = random(.detail)
      field.addSpline(
        over: grid, controls: settings.detailSpacing, deviation: settings.detail, &random)
    }
    var turns = random(.affine)
    field.addAffine(settings.affine(over: grid, &turns))
    if let flow {
      var random = random(.ventricles)
      flow.move(&field, by: flow.distance(forRatio: ventricleRatio(flow, &random)))
    }
    return field
  }

  /// A volume of the ventricles relative to the map's own.
  private func ventricleRatio(_ flow: VentricleFlow, _ random: inout Philox) -> Double {
    let (least, most) = Self.ventricleRatios
    let high = max(1, min(most, Self.largestVentricles / flow.volume))
    let logRatio = log(least) + (log(high) - log(least)) * Double(random.uniform())
    return exp(settings.ventricles * logRatio)
  }
}
