/// The fields of a NIfTI-1, NIfTI-2 or ANALYZE header that are used here, as they stand in the
/// file.
///
/// Nothing is judged or mended: that is `HeaderChecks`' and `HeaderGeometry`'s work. Parsed here,
/// byte by byte, because libnifti2 crashes on some crafted NIfTI-2 headers and takes many bad ones
/// for good.
package struct NIfTIHeader: Sendable, Equatable {
  package enum Version: Sendable { case analyze, nifti1, nifti2 }

  package var version: Version
  package var bigEndian: Bool
  /// Whether header and voxels share a file (`n+1`), or the voxels are in an `.img` (`ni1`).
  package var singleFile: Bool
  /// Eight numbers: how many dimensions, then their extents.
  package var dim: [Int]
  package var datatype: Int
  package var bitpix: Int
  /// Eight numbers: the sign of the third axis of the qform, then voxel sizes in file units.
  package var pixdim: [Double]
  package var voxOffset: Double
  package var slope: Double
  package var intercept: Double
  package var calMax: Double
  package var calMin: Double
  package var xyztUnits: Int
  package var qformCode: Int
  package var sformCode: Int
  /// quatern_b, c, d.
  package var quaternion: SIMD3<Double>
  package var qoffset: SIMD3<Double>
  /// Three rows of four.
  package var srow: [[Double]]
  package var intentCode: Int
  package var intentName: String
  package var descrip: String

  /// Bytes of the fixed header.
  package var fixedSize: Int { version == .nifti2 ? 540 : 348 }

  /// The smallest place of voxels in a single file: the header and four bytes that announce
  /// extensions.
  package var smallestOffset: Int { singleFile ? fixedSize + 4 : 0 }

  /// What the first bytes of a file say about their format.
  enum Recognised {
    case header(NIfTIHeader)
    case tooShort(expected: Int)
    case notNIfTI
    /// An ANALYZE header, or a NIfTI-1 header whose magic is damaged.
    case withoutMagic(NIfTIHeader)
    /// The magic is there, `sizeof_hdr` is neither 348 nor 540.
    case wrongSize(Int)
  }

  /// Tells a header by the file's beginning, decoded: 540 bytes or all there are.
  static func recognise(_ bytes: UnsafeRawBufferPointer) -> Recognised {
    guard bytes.count >= 4 else { return .tooShort(expected: 348) }
    for bigEndian in [false, true] {
      let source = HeaderBytes(bytes: bytes, bigEndian: bigEndian)
      switch source.int32(0) {
      case 348:
        guard bytes.count >= 348 else { return .tooShort(expected: 348) }
        return recogniseFirst(source)
      case 540:
        guard bytes.count >= 540 else { return .tooShort(expected: 540) }
        let magic = bytes[4..<12]
        if magic.elementsEqual(Array("n+2\0\r\n\u{1a}\n".utf8)) {
          return .header(NIfTIHeader(second: source, singleFile: true))
        }
        if magic.elementsEqual(Array("ni2\0\r\n\u{1a}\n".utf8)) {
          return .header(NIfTIHeader(second: source, singleFile: false))
        }
        return .notNIfTI
      default: continue
      }
    }
    let found = HeaderBytes(bytes: bytes, bigEndian: false).int32(0)
    if bytes.count >= 348, magicText(bytes) != nil { return .wrongSize(found) }
    if bytes.count >= 12, ["n+2", "ni2"].contains(where: { bytes[4..<7].elementsEqual($0.utf8) }) {
      return .wrongSize(found)
    }
    return .notNIfTI
  }

  private static func magicText(_ bytes: UnsafeRawBufferPointer) -> String? {
    ["n+1\0", "ni1\0"].first { bytes[344..<348].elementsEqual($0.utf8) }
  }

  private static func recogniseFirst(_ source: HeaderBytes) -> Recognised {
    guard let magic = magicText(source.bytes) else {
      return .withoutMagic(NIfTIHeader(first: source, version: .analyze, singleFile: false))
    }
    return .header(
      NIfTIHeader(first: source, version: .nifti1, singleFile: magic.hasPrefix("n+")))
  }

  /// A header of nothing yet: no extents, unscaled, millimetres and seconds.
  package init(blank version: Version) {
    self.version = version
    bigEndian = false
    singleFile = true
    dim = [0, 1, 1, 1, 1, 1, 1, 1]
    (datatype, bitpix) = (0, 0)
    pixdim = [Double](repeating: 1, count: 8)
    voxOffset = version == .nifti2 ? 544 : 352
    (slope, intercept, calMax, calMin, xyztUnits) = (1, 0, 0, 0, 2 | 8)
    (qformCode, sformCode, quaternion, qoffset) = (0, 0, .zero, .zero)
    srow = [[Double]](repeating: [0, 0, 0, 0], count: 3)
    (intentCode, intentName, descrip) = (0, "", "")
  }

  private init(first source: HeaderBytes, version: Version, singleFile: Bool) {
    self.version = version
    self.singleFile = singleFile
    bigEndian = source.bigEndian
    dim = (0..<8).map { source.int16(40 + 2 * $0) }
    datatype = source.int16(70)
    bitpix = source.int16(72)
    pixdim = (0..<8).map { source.float(76 + 4 * $0) }
    voxOffset = source.float(108)
    slope = source.float(112)
    intercept = source.float(116)
    xyztUnits = Int(source.bytes[123])
    calMax = source.float(124)
    calMin = source.float(128)
    intentCode = source.int16(68)
    descrip = source.text(148, 80)
    intentName = source.text(328, 16)
    qformCode = source.int16(252)
    sformCode = source.int16(254)
    quaternion = SIMD3(source.float(256), source.float(260), source.float(264))
    qoffset = SIMD3(source.float(268), source.float(272), source.float(276))
    srow = (0..<3).map { row in (0..<4).map { source.float(280 + 16 * row + 4 * $0) } }
    guard version == .analyze else { return }
    // ANALYZE has other things where NIfTI-1 keeps scaling, units and geometry (the history block).
    (slope, intercept, xyztUnits, intentCode) = (1, 0, 2, 0)
    (qformCode, sformCode, intentName) = (0, 0, "")
    (quaternion, qoffset) = (.zero, .zero)
    srow = [[Double]](repeating: [0, 0, 0, 0], count: 3)
  }

  private init(second source: HeaderBytes, singleFile: Bool) {
    version = .nifti2
    self.singleFile = singleFile
    bigEndian = source.bigEndian
    datatype = source.int16(12)
    bitpix = source.int16(14)
    dim = (0..<8).map { source.int64(16 + 8 * $0) }
    pixdim = (0..<8).map { source.double(104 + 8 * $0) }
    voxOffset = Double(source.int64(168))
    slope = source.double(176)
    intercept = source.double(184)
    calMax = source.double(192)
    calMin = source.double(200)
    descrip = source.text(240, 80)
    qformCode = source.int32(344)
    sformCode = source.int32(348)
    quaternion = SIMD3(source.double(352), source.double(360), source.double(368))
    qoffset = SIMD3(source.double(376), source.double(384), source.double(392))
    srow = (0..<3).map { row in (0..<4).map { source.double(400 + 32 * row + 8 * $0) } }
    xyztUnits = source.int32(500)
    intentCode = source.int32(504)
    intentName = source.text(508, 16)
  }
}
