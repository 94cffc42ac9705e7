/// What can go wrong between files that are sound in themselves and a segmentation.
package enum AnatomyError: Error, Equatable, Sendable {
  /// A label map holds values that the label table does not name.
  case unknownLabels(path: String, values: [Int32])
  /// A label map with nothing in it.
  case emptyMap(path: String)
  /// More labels or tissue groups than the tables of this program hold.
  case tooManyLabels(found: Int, most: Int)
  /// An atlas grid would have too few or too many voxels along an axis.
  case badGrid(extents: SIMD3<Int>, expected: ClosedRange<Int>)
  /// More label maps than the counters hold.
  case tooManyMaps(most: Int)
  /// No label maps to learn from.
  case noMaps(path: String)
  /// Names of label maps that are not among those at hand.
  case unknownMaps(names: [String], known: [String])
  /// All label maps were named to be held out, and none is left to learn from.
  case allHeldOut(maps: Int)
  /// Two label maps that would be known by the same name.
  case sameName(String, paths: [String])
  /// Every intensity is the same, or nothing is left after masking.
  case noContrast(path: String)
  /// The scan's voxels reach too little of the anatomy, or do not look like it at all.
  case hopelessFit(path: String, reason: String)
  /// The surroundings of the structures of interest are too small for anything to be estimated there.
  case tooFewSamples(path: String, found: Int, needed: Int)
  /// An atlas folder lacks a file, or its files disagree.
  case badAtlas(path: String, found: String, expected: String)
  /// A matrix file that cannot be read or is not invertible.
  case badMatrix(path: String, found: String)
  /// A file that tells no intensities of an atlas's tissue groups.
  case badIntensities(path: String, found: String)
  /// A trained prior was made with another atlas; both are named.
  case otherAtlas(path: String, found: String, expected: String)
  /// An atlas whose grid the network cannot take.
  case unfitGrid(atlas: String, extents: SIMD3<Int>, reason: String)
  /// A trained prior of an architecture that scans cannot be read by.
  case priorNotForScans(path: String, architecture: String)
  /// A file that holds other weights than those asked for; nil: of another program.
  case otherWeights(path: String, found: String?, expected: String)
  /// No trained prior was named, and none is at the places looked at.
  case noPrior(tried: [String])
  /// A latent or encoder of another trained prior; the digests of both decoders are named.
  case otherPrior(path: String, found: String, expected: String)
  /// A trained prior that does not say how encodings are distributed.
  case noEncodings(path: String)
  /// Training, or what is to be done with the scan or atlas at `path`, takes more memory than there is, bytes.
  case tooLittleMemory(path: String? = nil, needed: Int, available: Int)
  /// A training that was begun otherwise than it is to go on; `what` names what differs.
  case otherTraining(path: String, what: String)
}

extension AnatomyError {
  /// Throws `tooLittleMemory` where more bytes are needed than there are; `available` is nil if that is not known.
  package static func checkMemory(for path: String? = nil, needed: Int, available: Int?) throws {
    if let available, needed > available {
      throw Self.tooLittleMemory(path: path, needed: needed, available: available)
    }
  }
}
