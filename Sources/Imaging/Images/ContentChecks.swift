/// What can be wrong with an image's content, once its header is sound.
enum ContentChecks {
  static func slices(_ header: ImageHeader, _ options: ReadOptions) -> [Finding] {
    let fewest = header.grid.extents.min()
    guard fewest < ImageReader.fewestSlices else { return [] }
    return [
      Finding(
        options.force ? .warning : .error, "slices",
        "only \(fewest) slices along one axis, expected at least \(ImageReader.fewestSlices)",
        fix: "Too little anatomy to be recognised; --force tries all the same.")
    ]
  }

  /// Said where one volume is to be read and none of several was chosen.
  static func severalVolumes(_ header: ImageHeader) -> Finding {
    Finding(
      .error, "volumes", "\(header.volumes) volumes in one file, expected one",
      fix: "Choose one with --volume, from 0 to \(header.volumes - 1).")
  }

  static func scan(
    _ seen: VoxelDecoder.Statistics, count: Int, _ header: ImageHeader, _ options: ReadOptions
  ) -> [Finding] {
    var findings: [Finding] = []
    let refusal: Finding.Level = options.force ? .warning : .error
    if seen.overflowed > 0 {
      let (slope, intercept) = header.fields.scaling
      findings.append(
        Finding(
          .error, "overflow",
          "\(seen.overflowed) voxels leave the range of single precision once scaled by \(slope) "
            + "and shifted by \(intercept)", fix: "Check scl_slope and scl_inter."))
    }
    let lost = seen.notANumber + seen.infinite
    if lost > 0 {
      let percent = Double(lost * 1000 / count) / 10
      let isRefused = lost * 2 > count && !options.force
      findings.append(
        Finding(
          isRefused ? .error : .warning, "not-finite",
          "\(lost) voxels (\(percent) %) are not finite: \(seen.notANumber) NaN, "
            + "\(seen.infinite) infinite",
          fix: isRefused
            ? "If a mask made them so, set them to zero or use --force; else convert the scan again."
            : "They are left out."))
    }
    if seen.inexact > 0 {
      findings.append(
        Finding(
          .warning, "precision", "\(seen.inexact) voxels hold integers beyond 2^53",
          fix: "They are rounded."))
    }
    if seen.overflowed == 0, lost < count, seen.minimum == seen.maximum {
      findings.append(
        Finding(
          refusal, "contrast", "every voxel is \(seen.minimum): there is no contrast",
          fix: "Check that this is the scan and not an empty mask."))
    } else if lost == count {
      findings.append(
        Finding(
          .error, "contrast", "no voxel is finite", fix: "Convert the scan again from its source."))
    }
    return findings
  }

  static func labels(_ bad: VoxelDecoder.BadLabel?, _ header: ImageHeader) -> [Finding] {
    guard let bad else {
      guard header.voxelType.isFloatingPoint else { return [] }
      return [
        Finding(
          .warning, "label-type", "labels are stored as \(header.voxelType.name)",
          fix: "All are whole numbers; they are read as such.")
      ]
    }
    let extents = header.grid.extents
    let place = (
      bad.index % extents.x, bad.index / extents.x % extents.y,
      bad.index / (extents.x * extents.y)
    )
    let message = "voxel (\(place.0), \(place.1), \(place.2)) is \(bad.value)"
    let fix: String
    switch bad.reason {
    case .negative: fix = "Labels are 0 (background) or positive."
    case .tooLarge: fix = "Labels are at most 2147483647."
    case .notFinite: fix = "Labels are whole numbers."
    case .fractional:
      fix =
        "Labels are whole numbers: this may be a scan, a probability map, or a label map that "
        + "was resampled linearly."
    }
    return [Finding(.error, "label-value", message, fix: fix)]
  }
}
