/// The battery: what can be wrong with a NIfTI header's fields other than its geometry.
///
/// Every check is a function of the header alone that returns what it found. All run, so that a
/// person sees everything that is wrong at once.
enum HeaderChecks {
  /// Runs every check. `options` decides what may be mended.
  static func run(_ header: NIfTIHeader, _ options: ReadOptions) -> [Finding] {
    dimensions(header) + extents(header, options) + size(header, options) + datatype(header)
      + bitpix(header) + voxOffset(header, options) + scaling(header)
  }

  /// Voxels per volume times volumes, or `nil` when that overflows or an extent is below 1.
  static func voxelCount(_ header: NIfTIHeader) -> Int? {
    guard (1...7).contains(header.dim[0]) else { return nil }
    return product(of: Array(header.dim[1...header.dim[0]]))
  }

  /// The product, or `nil` when it overflows or a factor is below 1.
  private static func product(of factors: [Int]) -> Int? {
    var product = 1
    for factor in factors {
      guard factor >= 1 else { return nil }
      let (next, overflow) = product.multipliedReportingOverflow(by: factor)
      if overflow { return nil }
      product = next
    }
    return product
  }

  static func dimensions(_ header: NIfTIHeader) -> [Finding] {
    guard !(1...7).contains(header.dim[0]) else { return [] }
    return [
      Finding(
        .error, "dimensions", "dim[0] is \(header.dim[0]), expected 3 (or 1 to 7)",
        fix: "The header is damaged: convert the scan again from its source.")
    ]
  }

  static func extents(_ header: NIfTIHeader, _ options: ReadOptions) -> [Finding] {
    guard (1...7).contains(header.dim[0]) else { return [] }
    let used = Array(header.dim[1...header.dim[0]])
    if let bad = used.firstIndex(where: { $0 < 1 }) {
      return [
        Finding(
          .error, "extents", "dim[\(bad + 1)] is \(used[bad]), expected at least 1",
          fix: "The header is damaged: convert the scan again from its source.")
      ]
    }
    if (3000..<3100).contains(header.intentCode) {
      return [
        Finding(
          .error, "extents",
          "this is CIFTI data (intent code \(header.intentCode)), which lies on "
            + "surfaces, not on a grid", fix: "Give the volume that it was made from.")
      ]
    }
    var findings: [Finding] = []
    if used.dropFirst(4).contains(where: { $0 > 1 }) {
      findings.append(
        Finding(
          .error, "extents", "\(shape(used)) voxels have more than 4 dimensions",
          fix: "Extract one 3-D volume first."))
    }
    if used.prefix(3).filter({ $0 > 1 }).count < 3 {
      let level: Finding.Level = options.force ? .warning : .error
      findings.append(
        Finding(
          level, "extents", "\(shape(used)) voxels are one slice or less, expected a volume",
          fix: "Give the 3-D scan that the slice was taken from."))
    }
    return findings
  }

  static func size(_ header: NIfTIHeader, _ options: ReadOptions) -> [Finding] {
    guard (1...7).contains(header.dim[0]),
      !header.dim[1...header.dim[0]].contains(where: { $0 < 1 })
    else { return [] }
    let bytes = VoxelType(rawValue: header.datatype)?.bytes ?? 1
    let volume = Array(header.dim[1...min(3, header.dim[0])])
    let perVolume = product(of: volume + [bytes])
    guard let perVolume, voxelCount(header) != nil, perVolume <= options.maximumBytes else {
      let used = shape(Array(header.dim[1...header.dim[0]]))
      return [
        Finding(
          .error, "size",
          "\(used) voxels of \(bytes) bytes are more than the limit of \(options.maximumBytes) "
            + "bytes",
          fix: "If the size is real, raise the limit with --max-input; else the header is damaged.")
      ]
    }
    return []
  }

  static func datatype(_ header: NIfTIHeader) -> [Finding] {
    guard VoxelType(rawValue: header.datatype) == nil else { return [] }
    let message: String
    if let name = VoxelType.unsupportedName(header.datatype) {
      let isColour = header.datatype == 128 || header.datatype == 2304
      message =
        isColour
        ? "\(name) image (datatype \(header.datatype)), expected one intensity channel"
        : "voxels are \(name) (datatype \(header.datatype)), expected integers or real numbers"
    } else {
      message =
        "datatype \(header.datatype) means nothing, expected one of "
        + VoxelType.allCases.map { "\($0.rawValue)" }.joined(separator: ", ")
    }
    return [
      Finding(.error, "datatype", message, fix: "Convert to a single intensity per voxel first.")
    ]
  }

  static func bitpix(_ header: NIfTIHeader) -> [Finding] {
    guard let type = VoxelType(rawValue: header.datatype), header.bitpix != type.bytes * 8 else {
      return []
    }
    return [
      Finding(
        .warning, "bitpix",
        "bitpix is \(header.bitpix), expected \(type.bytes * 8) for \(type.name)",
        fix: "The datatype is believed.")
    ]
  }

  static func voxOffset(_ header: NIfTIHeader, _ options: ReadOptions) -> [Finding] {
    let offset = header.voxOffset
    guard let usable = header.usableOffset else {
      guard options.repair else {
        return [
          Finding(
            .error, "vox-offset",
            "vox_offset is \(offset), expected \(header.smallestOffset) or more",
            fix: "With --repair, \(header.smallestOffset) is assumed.")
        ]
      }
      return [
        Finding(
          .warning, "vox-offset",
          "vox_offset is \(offset), expected \(header.smallestOffset) or more",
          fix: "\(header.smallestOffset) is assumed, as --repair asks.")
      ]
    }
    guard header.singleFile, usable % 16 != 0 else { return [] }
    return [
      Finding(
        .warning, "vox-offset", "vox_offset is \(usable), not a multiple of 16",
        fix: "It is used as it stands.")
    ]
  }

  static func scaling(_ header: NIfTIHeader) -> [Finding] {
    if header.slope.isInfinite {
      return [
        Finding(
          .warning, "scaling", "scl_slope is \(header.slope), expected a number",
          fix: "The values are taken unscaled.")
      ]
    }
    guard header.slope.isFinite, header.slope != 0, !header.intercept.isFinite else { return [] }
    return [
      Finding(
        .error, "scaling",
        "scl_inter is \(header.intercept) beside a scl_slope of \(header.slope), expected a number",
        fix: "Set scl_inter to 0 if no offset is meant.")
    ]
  }

  static func shape(_ extents: [Int]) -> String {
    extents.map(String.init).joined(separator: "x")
  }
}

extension NIfTIHeader {
  /// Place of the voxels, where `vox_offset` is one: whole, behind the header, below 2^53.
  var usableOffset: Int? {
    guard voxOffset.rounded() == voxOffset, voxOffset >= Double(smallestOffset),
      voxOffset < 0x1p53
    else { return nil }
    return Int(voxOffset)
  }

  /// Slope and intercept to apply: 1 and 0 where the slope is 0 or no finite number (nibabel's
  /// rule).
  package var scaling: (slope: Double, intercept: Double) {
    slope.isFinite && slope != 0 ? (slope, intercept) : (1, 0)
  }
}
