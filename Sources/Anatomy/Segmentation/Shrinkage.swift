/// What tells whether fluid lies in place of structures that have shrunk, or these structures look like fluid: two fits
/// of a scan, one that takes for fluid what looks like it (`FluidRows`) and one that does not.
///
/// To take it for fluid costs likelihood, and the warp wins most of that back if it is true, for then fluid is expected
/// there. If it is not, structures all but vanish; if it is and they are fitted to it nevertheless, some are too large.
struct Shrinkage {
  /// What it costs to take for fluid what looks like it, before the warp, nats.
  let cost: Double
  /// What is left of that cost after the warp, nats.
  let left: Double
  /// Volume of the structures that have shrunk, over what the atlas expects: the smallest that way.
  let smallest: Double
  /// The same volume where nothing is taken for fluid: the largest.
  let largestOtherwise: Double

  /// Whether the structures have shrunk.
  var isBelievable: Bool {
    let isNearlyGone = smallest < Self.leastVolume && largestOtherwise < Self.mostVolume
    let mostLeft = largestOtherwise > Self.excessVolume ? Self.mostLeftOfExcess : Self.mostLeft
    return !isNearlyGone && (cost < Self.leastCost || left < mostLeft * cost)
  }

  /// Whether the structures have shrunk for certain, so that the other fit need not be followed. `largestAtStart` is
  /// `largestOtherwise` before the warp.
  static func isCertain(cost: Double, smallest: Double, largestAtStart: Double) -> Bool {
    smallest >= leastVolume && (cost < leastCost || largestAtStart > hugeVolume)
  }

  /// Below this cost in nats the warp tells nothing, for two fits differ by as much for other reasons: where ventricles
  /// were dilated for 680 and 720 nats, 1500 to 2100 were left or none when the head was placed a millimetre away. There
  /// fluid is worth 0.06 to 0.11 Dice where it is true, and costs 0.045 at most where it is not.
  private static let leastCost = 1000.0
  /// Share of the cost that is left where structures have shrunk, at most. With dilated ventricles and thinned cortex
  /// it was 0.37 at most, and the fit better by 0.01 to 0.23 Dice; where nuclei were drawn as dark or bright as fluid
  /// 0.27 to 0.41, when the caudate or all of thalamus was, else at least 0.52.
  private static let mostLeft = 0.47
  /// The same share where a structure is too large when nothing is taken for fluid, and the volume from which it is. With
  /// dilated ventricles and thinned cortex and no trained prior to help the warp, shares were 0.35 to 0.62 and volumes
  /// 1.26 to 1.67; nuclei and cortex drawn as dark or bright as fluid had 1.23 at most, and that with a share of 0.81.
  private static let (mostLeftOfExcess, excessVolume) = (0.7, 1.2)
  /// Volumes over what the atlas expects. With dilated ventricles structures kept 0.48 and more, and one of them had
  /// 1.06 to 8 when nothing was taken for fluid; caudate, thalamus or cortex drawn as fluid kept 0.35 to 0.46 when it was
  /// taken for that, and had 0.6 to 1.1 otherwise.
  private static let (leastVolume, mostVolume) = (0.47, 1.15)
  /// Before the warp, ventricles of 100 ml and more gave the caudate nucleus a volume of 1.3 to 2.5; what was drawn as
  /// fluid had 1.3 at most.
  private static let hugeVolume = 1.5
}
