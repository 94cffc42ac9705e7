import CNIfTI

/// Where a NIfTI header puts its voxels, and what is doubtful about it.
///
/// The hard decision is which of two geometries to believe. The sform is taken where it is valid,
/// as nibabel does, unless the lengths of its columns contradict the voxel size while the qform
/// does not: then some tool has changed the one and not the other, and the voxel size says which.
/// Neither is ever mended by guessing.
struct HeaderGeometry {
  /// Voxel indices to world millimetres.
  private(set) var affine = Affine.identity
  private(set) var findings: [Finding] = []
  /// Whether the header's own fields state this geometry, so that an output may repeat them.
  private(set) var isVerbatim = false
  /// Form code of the geometry used; 0 when none was declared.
  private(set) var code = 0

  private let header: NIfTIHeader
  private let options: ReadOptions
  private let extents: SIMD3<Int>
  /// Millimetres per unit of the file.
  private var unit = 1.0
  /// Voxel size in file units, where it is known.
  private var sizes: SIMD3<Double>?

  /// Smallest and largest voxel sizes, in mm, that are believed.
  static let plausibleSizes = 0.02...50.0
  /// Farthest from the world's origin, in mm, that a voxel is believed to lie.
  static let farthest = 1e6

  init(_ header: NIfTIHeader, extents: SIMD3<Int>, _ options: ReadOptions) {
    self.header = header
    self.options = options
    self.extents = extents
    readUnits()
    let sform = readSform()
    readSizes(sform)
    let qform = readQform()
    choose(sform, qform)
    guard findings.errors.isEmpty else { return }
    guard isNearby else {
      let place = (0..<3).map { "\(affine.translation[$0])" }.joined(separator: ", ")
      note(
        .error, "origin",
        "the first voxel lies at (\(place)) mm, expected within 1 km of the world's origin",
        fix: "Mend the header's translation, or convert the scan again from its source.")
      return
    }
    checkSizes()
    checkAxes()
  }

  private mutating func note(
    _ level: Finding.Level, _ check: String, _ message: String, fix: String
  ) { findings.append(Finding(level, check, message, fix: fix)) }

  private mutating func readUnits() {
    switch header.xyztUnits & 7 {
    case 1: unit = 1000
    case 2: unit = 1
    case 3: unit = 0.001
    case 0:
      note(.warning, "units", "the unit of length is not declared", fix: "Millimetres are assumed.")
    case let other:
      note(
        .warning, "units",
        "unit of length \(other) means nothing, expected 1 (metre), 2 (mm) or "
          + "3 (micron)", fix: "Millimetres are assumed.")
    }
  }

  /// The sform in file units, if it is declared and a geometry.
  private mutating func readSform() -> Affine? {
    guard header.sformCode > 0 else { return nil }
    guard header.srow.allSatisfy({ $0.allSatisfy(\.isFinite) }) else {
      note(
        .warning, "sform", "the sform (code \(header.sformCode)) holds numbers that are not finite",
        fix: "It is not used.")
      return nil
    }
    let form = Affine(rows: header.srow)
    let norms = form.columnNorms
    let volume = norms.x * norms.y * norms.z
    guard volume > 0, volume.isFinite, abs(form.determinant) > 1e-6 * volume else {
      note(
        .warning, "sform", "the sform (code \(header.sformCode)) is zero or singular",
        fix: "It is not used.")
      return nil
    }
    return form
  }

  private mutating func readSizes(_ sform: Affine?) {
    let stated = SIMD3(header.pixdim[1], header.pixdim[2], header.pixdim[3])
    let text = "pixdim is (\(stated.x), \(stated.y), \(stated.z))"
    guard (0..<3).allSatisfy({ stated[$0].isFinite }) else {
      if let sform {
        sizes = sform.columnNorms
        note(
          .warning, "pixdim", "\(text), expected three positive numbers",
          fix: "The voxel size is taken from the sform.")
      } else {
        note(
          .error, "pixdim", "\(text), expected three positive numbers",
          fix: "Convert the scan again from its source.")
      }
      return
    }
    var mended = SIMD3(abs(stated.x), abs(stated.y), abs(stated.z))
    if (0..<3).contains(where: { stated[$0] < 0 }) {
      note(.warning, "pixdim", "\(text), expected positive numbers", fix: "The signs are dropped.")
    }
    if (0..<3).contains(where: { mended[$0] == 0 }) {
      for axis in 0..<3 where mended[axis] == 0 { mended[axis] = sform?.columnNorms[axis] ?? 1 }
      note(
        .warning, "pixdim", "\(text), expected positive numbers",
        fix: sform == nil
          ? "1 is assumed for 0." : "The voxel size is taken from the sform.")
    }
    sizes = mended
  }

  /// The qform in file units, if it is declared and a geometry.
  private mutating func readQform() -> Affine? {
    guard header.qformCode > 0, let sizes else { return nil }
    let (q, o) = (header.quaternion, header.qoffset)
    guard (0..<3).allSatisfy({ q[$0].isFinite && o[$0].isFinite }), (q * q).sum().isFinite else {
      note(
        .warning, "qform", "the qform (code \(header.qformCode)) holds numbers that are not finite",
        fix: "It is not used.")
      return nil
    }
    if (q * q).sum() > 1.00001 {
      note(
        .warning, "qform", "the qform's quaternion is longer than 1", fix: "It is brought to 1.")
    }
    let sign = header.pixdim[0]
    if !(sign == 1 || sign == -1 || sign == 0) {
      note(
        .warning, "qform", "pixdim[0] is \(sign), expected -1 or 1",
        fix: "\(sign < 0 ? -1 : 1) is taken.")
    }
    let m = nifti_quatern_to_dmat44(
      q.x, q.y, q.z, o.x, o.y, o.z, sizes.x, sizes.y, sizes.z, sign < 0 ? -1 : 1
    ).m
    let form = Affine(
      columns: (
        SIMD3(m.0.0, m.1.0, m.2.0), SIMD3(m.0.1, m.1.1, m.2.1), SIMD3(m.0.2, m.1.2, m.2.2)
      ), translation: SIMD3(m.0.3, m.1.3, m.2.3))
    guard form.rows.allSatisfy({ $0.allSatisfy(\.isFinite) }), form.determinant != 0 else {
      note(
        .warning, "qform", "the qform (code \(header.qformCode)) is singular",
        fix: "It is not used.")
      return nil
    }
    return form
  }

  private mutating func choose(_ sform: Affine?, _ qform: Affine?) {
    switch options.xform {
    case .sform where sform == nil, .qform where qform == nil:
      note(
        .error, "xform", "the header has no valid \(options.xform.rawValue)",
        fix: "Leave --xform out, or give the other one.")
    case .sform: use(sform, code: header.sformCode)
    case .qform: use(qform, code: header.qformCode)
    case .automatic:
      if let sform, let qform {
        chooseBetween(sform, qform)
      } else if sform != nil {
        use(sform, code: header.sformCode)
      } else if qform != nil {
        use(qform, code: header.qformCode)
      } else {
        assume()
      }
    }
    let declared = (header.sformCode > 0 ? 1 : 0) + (header.qformCode > 0 ? 1 : 0)
    let valid = (sform == nil ? 0 : 1) + (qform == nil ? 0 : 1)
    isVerbatim = declared > 0 && declared == valid && fieldsAreClean
  }

  private var fieldsAreClean: Bool {
    let finite =
      header.srow.allSatisfy { $0.allSatisfy(\.isFinite) }
      && (0..<3).allSatisfy { header.quaternion[$0].isFinite && header.qoffset[$0].isFinite }
    let sized = (1...3).allSatisfy { header.pixdim[$0].isFinite && header.pixdim[$0] > 0 }
    let signed = [-1, 0, 1].contains(header.pixdim[0])
    let codes = (0...5).contains(header.qformCode) && (0...5).contains(header.sformCode)
    return finite && sized && signed && codes && (0...3).contains(header.xyztUnits & 7)
  }

  private mutating func use(_ form: Affine?, code: Int) {
    guard let form else { return }
    self.code = code
    affine = Affine(
      columns: (form.columns.0 * unit, form.columns.1 * unit, form.columns.2 * unit),
      translation: form.translation * unit)
  }

  private mutating func chooseBetween(_ sform: Affine, _ qform: Affine) {
    let s = sform.columnNorms
    let size = qform.columnNorms
    let contradicts = (0..<3).contains { abs(s[$0] - size[$0]) > 1e-3 * size[$0] }
    let distance = sform.largestDifference(from: qform, over: extents) * unit
    let millimetres = rounded(distance)
    if contradicts {
      note(
        .warning, "forms",
        "sform and qform differ by up to \(millimetres) mm, and the sform's voxel "
          + "size is not pixdim's", fix: "The qform is used; --xform sform takes the other.")
      use(qform, code: header.qformCode)
      return
    }
    if distance > 1e-3 * (s * unit).max() {
      note(
        .warning, "forms", "sform and qform differ by up to \(millimetres) mm",
        fix: "The sform is used; --xform qform takes the other.")
    }
    use(sform, code: header.sformCode)
  }

  /// No declared geometry: the grid's centre is put at the origin, axes as asked for or LAS.
  private mutating func assume() {
    let isDeclared = header.sformCode > 0 || header.qformCode > 0
    let name = options.assumedOrientation ?? "LAS"
    guard !isDeclared || options.assumedOrientation != nil, let sizes else {
      if sizes != nil {
        note(
          .error, "forms", "neither sform nor qform is valid",
          fix: "If the order of the axes is known, state it with --assume-orientation, such as RAS."
        )
      }
      return
    }
    guard let axes = Orientation(name) else {
      note(
        .error, "forms", "orientation \(name) means nothing",
        fix: "Give three letters, one of L or R, one of A or P, one of S or I, such as RAS.")
      return
    }
    affine = axes.affine(spacing: sizes * unit, extents: extents)
    note(
      .warning, "forms",
      isDeclared
        ? "neither sform nor qform is valid" : "the header declares no orientation",
      fix: options.assumedOrientation == nil
        ? "\(name) is assumed: left and right may be swapped. State it with --assume-orientation."
        : "\(name) is assumed, as asked.")
  }

  private var isNearby: Bool {
    let last = affine(SIMD3<Double>(extents) - 1)
    return [affine.translation, last].allSatisfy { place in
      (0..<3).allSatisfy { abs(place[$0]) <= Self.farthest }
    }
  }

  private mutating func checkSizes() {
    let spacing = affine.columnNorms
    let text = "\(rounded(spacing.x)) x \(rounded(spacing.y)) x \(rounded(spacing.z)) mm"
    guard
      Self.plausibleSizes.contains(spacing.min()), Self.plausibleSizes.contains(spacing.max())
    else {
      let level: Finding.Level = options.force ? .warning : .error
      note(
        level, "voxel-size", "voxels of \(text) are not plausible for a medical scan",
        fix: "Check the header's unit of length (xyzt_units is \(header.xyztUnits)).")
      return
    }
    if let sizes,
      (0..<3).contains(where: { abs(sizes[$0] * unit - spacing[$0]) > 1e-3 * spacing[$0] })
    {
      note(
        .warning, "voxel-size", "pixdim and the columns of the sform give different voxel sizes",
        fix: "The sform's, \(text), is used.")
    }
    if spacing.max() > 2.999 * spacing.min() {
      note(
        .warning, "anisotropic", "voxels of \(text) are much longer than wide",
        fix: "Thin structures will be found less well.")
    }
  }

  private mutating func checkAxes() {
    let spacing = affine.columnNorms
    let unit = [
      affine.columns.0 / spacing.x, affine.columns.1 / spacing.y, affine.columns.2 / spacing.z,
    ]
    let cosine = [(0, 1), (0, 2), (1, 2)].map { abs((unit[$0.0] * unit[$0.1]).sum()) }.max() ?? 0
    if cosine > 1e-3 {
      note(
        .warning, "sheared", "the voxel axes are not at right angles (cosine \(rounded(cosine)))",
        fix: "The shear is followed; some other programs will refuse the file.")
    }
  }

  /// Three decimals, for messages.
  private func rounded(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
    return "\((value * 1000).rounded() / 1000)"
  }
}
