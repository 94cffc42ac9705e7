import CDeflate

@testable import Imaging

/// A NIfTI file made byte by byte, sound until a test breaks it.
struct SampleImage {
  enum Version: CaseIterable { case nifti1, nifti2 }

  let version: Version
  let bigEndian: Bool
  private(set) var header: [UInt8]
  var voxels: [UInt8]
  let extents: [Int]

  /// Where fields are: byte offset, in NIfTI-1 and NIfTI-2.
  static func offset(_ field: String, _ version: Version) -> Int {
    guard let field = HeaderField.all.first(where: { $0.name == field }) else {
      preconditionFailure("no field \(field)")
    }
    return version == .nifti1 ? field.first.offset : field.second.offset
  }

  /// An image of 12x11x10 voxels of 1x2x1.5 mm, a slightly turned qform and an sform that agrees.
  init(
    _ type: VoxelType = .uint8, _ version: Version = .nifti1, bigEndian: Bool = false,
    extents: [Int] = [12, 11, 10], singleFile: Bool = true
  ) {
    self.version = version
    self.bigEndian = bigEndian
    self.extents = extents
    header = [UInt8](repeating: 0, count: version == .nifti1 ? 352 : 544)
    let count = extents.reduce(1, *)
    voxels = [UInt8](repeating: 0, count: count * type.bytes)
    set("sizeof_hdr", version == .nifti1 ? 348 : 540)
    let magic =
      version == .nifti1
      ? (singleFile ? "n+1\0" : "ni1\0")
      : (singleFile ? "n+2\0\r\n\u{1a}\n" : "ni2\0\r\n\u{1a}\n")
    let place = version == .nifti1 ? 344 : 4
    header.replaceSubrange(place..<place + magic.utf8.count, with: magic.utf8)
    set("dim0", Double(extents.count))
    for axis in 1...7 { set("dim\(axis)", axis <= extents.count ? Double(extents[axis - 1]) : 1) }
    set("datatype", Double(type.rawValue))
    set("bitpix", Double(type.bytes * 8))
    for (axis, size) in [1, 1, 2, 1.5, 1, 1, 1, 1].enumerated() { set("pixdim\(axis)", size) }
    set("vox_offset", singleFile ? Double(header.count) : 0)
    set("scl_slope", 1)
    set("xyzt_units", 2)
    set("qform_code", 1)
    set("sform_code", 1)
    for (axis, offset) in [-5.0, -10, -7].enumerated() {
      set("qoffset\(axis)", offset)
      set("srow\(axis)3", offset)
      set("srow\(axis)\(axis)", [1, 2, 1.5][axis])
    }
    fill(type)
  }

  /// Values that differ everywhere, and fit any type: (7x + 3y + 5z + w) mod 120.
  static func value(_ index: Int, _ extents: [Int]) -> Int {
    let (nx, ny, nz) = (extents[0], extents[1], extents.count > 2 ? extents[2] : 1)
    let (x, y, z, w) = (
      index % nx, index / nx % ny, index / (nx * ny) % nz, index / (nx * ny * nz)
    )
    return (7 * x + 3 * y + 5 * z + w) % 120
  }

  private mutating func fill(_ type: VoxelType) {
    for index in 0..<extents.reduce(1, *) { put(Self.value(index, extents), index, type) }
  }

  private mutating func put(_ value: Int, _ index: Int, _ type: VoxelType) {
    let at = index * type.bytes
    switch type {
    case .uint8, .int8: voxels[at] = UInt8(value)
    case .int16, .uint16: store(Int16(value), at)
    case .int32, .uint32: store(Int32(value), at)
    case .int64, .uint64: store(Int64(value), at)
    case .float32: store(Float(value).bitPattern, at)
    case .float64: store(Double(value).bitPattern, at)
    }
  }

  /// Puts a number into the voxels, in the file's byte order.
  mutating func store<Value: FixedWidthInteger>(_ value: Value, _ offset: Int) {
    withUnsafeBytes(of: bigEndian ? value.bigEndian : value.littleEndian) {
      voxels.replaceSubrange(offset..<offset + $0.count, with: $0)
    }
  }

  /// Sets a field, saturating integers.
  mutating func set(_ name: String, _ value: Double) {
    guard let field = HeaderField.all.first(where: { $0.name == name }) else {
      preconditionFailure("no field \(name)")
    }
    let place = version == .nifti1 ? field.first : field.second
    let bytes = place.kind.bytes(value, bigEndian: bigEndian)
    header.replaceSubrange(place.offset..<place.offset + bytes.count, with: bytes)
  }

  mutating func setByte(_ offset: Int, _ value: UInt8) { header[offset] = value }

  /// The whole file.
  var bytes: [UInt8] { header + voxels }
}

/// A field of the NIfTI headers.
struct HeaderField {
  enum Kind {
    case uint8, int16, int32, int64, float, double

    /// The field's bytes for a value, saturating where the type ends.
    func bytes(_ value: Double, bigEndian: Bool) -> [UInt8] {
      func integer<Value: FixedWidthInteger>(_: Value.Type) -> [UInt8] {
        let low = Double(Value.min)
        let bounded: Value =
          value.isNaN ? 0 : value <= low ? .min : Value(exactly: value.rounded()) ?? .max
        return withUnsafeBytes(of: bigEndian ? bounded.bigEndian : bounded.littleEndian) {
          Array($0)
        }
      }
      func pattern<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        withUnsafeBytes(of: bigEndian ? value.bigEndian : value.littleEndian) { Array($0) }
      }
      switch self {
      case .uint8: return integer(UInt8.self)
      case .int16: return integer(Int16.self)
      case .int32: return integer(Int32.self)
      case .int64: return integer(Int64.self)
      case .float: return pattern(Float(value).bitPattern)
      case .double: return pattern(value.bitPattern)
      }
    }
  }

  let name: String
  let first: (offset: Int, kind: Kind)
  let second: (offset: Int, kind: Kind)

  static let all: [HeaderField] = {
    var fields = [
      HeaderField(name: "sizeof_hdr", first: (0, .int32), second: (0, .int32)),
      HeaderField(name: "datatype", first: (70, .int16), second: (12, .int16)),
      HeaderField(name: "bitpix", first: (72, .int16), second: (14, .int16)),
      HeaderField(name: "intent_code", first: (68, .int16), second: (504, .int32)),
      HeaderField(name: "vox_offset", first: (108, .float), second: (168, .int64)),
      HeaderField(name: "scl_slope", first: (112, .float), second: (176, .double)),
      HeaderField(name: "scl_inter", first: (116, .float), second: (184, .double)),
      HeaderField(name: "slice_end", first: (120, .int16), second: (232, .int64)),
      HeaderField(name: "slice_code", first: (122, .uint8), second: (496, .int32)),
      HeaderField(name: "xyzt_units", first: (123, .uint8), second: (500, .int32)),
      HeaderField(name: "cal_max", first: (124, .float), second: (192, .double)),
      HeaderField(name: "cal_min", first: (128, .float), second: (200, .double)),
      HeaderField(name: "slice_duration", first: (132, .float), second: (208, .double)),
      HeaderField(name: "toffset", first: (136, .float), second: (216, .double)),
      HeaderField(name: "qform_code", first: (252, .int16), second: (344, .int32)),
      HeaderField(name: "sform_code", first: (254, .int16), second: (348, .int32)),
      HeaderField(name: "extension", first: (348, .int32), second: (540, .int32)),
    ]
    for i in 0..<8 {
      fields.append(
        HeaderField(name: "dim\(i)", first: (40 + 2 * i, .int16), second: (16 + 8 * i, .int64)))
      fields.append(
        HeaderField(
          name: "pixdim\(i)", first: (76 + 4 * i, .float), second: (104 + 8 * i, .double)))
    }
    for i in 0..<3 {
      fields.append(
        HeaderField(
          name: "intent_p\(i)", first: (56 + 4 * i, .float), second: (80 + 8 * i, .double)))
      fields.append(
        HeaderField(
          name: "quatern\(i)", first: (256 + 4 * i, .float), second: (352 + 8 * i, .double)))
      fields.append(
        HeaderField(
          name: "qoffset\(i)", first: (268 + 4 * i, .float), second: (376 + 8 * i, .double)))
      for j in 0..<4 {
        fields.append(
          HeaderField(
            name: "srow\(i)\(j)", first: (280 + 16 * i + 4 * j, .float),
            second: (400 + 32 * i + 8 * j, .double)))
      }
    }
    return fields
  }()
}

/// One gzip member by libdeflate, no work of our own writer.
func gzipped(_ bytes: [UInt8]) -> [UInt8] {
  let compressor = libdeflate_alloc_compressor(6)
  defer { libdeflate_free_compressor(compressor) }
  let bound = libdeflate_gzip_compress_bound(compressor, bytes.count)
  return [UInt8](unsafeUninitializedCapacity: bound) { output, filled in
    filled = libdeflate_gzip_compress(
      compressor, bytes, bytes.count, output.baseAddress, output.count)
  }
}
