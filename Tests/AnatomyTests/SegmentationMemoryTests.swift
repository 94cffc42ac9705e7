import Anatomy
import Testing

/// Peaks of whole processes, in MiB, measured with the head atlas on scans of four sizes.
@Suite struct SegmentationMemoryTests {
  private struct Peak {
    let voxels: Int
    let readsAnatomy: Bool
    var usesContext = false
    var samples = 1
    let mebibytes: Int
  }

  private static let peaks = [
    Peak(voxels: 4_096_000, readsAnatomy: true, mebibytes: 734),
    Peak(voxels: 4_096_000, readsAnatomy: true, samples: 4, mebibytes: 895),
    Peak(voxels: 4_096_000, readsAnatomy: false, mebibytes: 398),
    Peak(voxels: 16_777_216, readsAnatomy: true, mebibytes: 778),
    Peak(voxels: 16_777_216, readsAnatomy: true, samples: 4, mebibytes: 950),
    Peak(voxels: 16_777_216, readsAnatomy: false, mebibytes: 399),
    Peak(voxels: 70_444_997, readsAnatomy: true, mebibytes: 1299),
    Peak(voxels: 70_444_997, readsAnatomy: true, samples: 4, mebibytes: 1504),
    Peak(voxels: 70_444_997, readsAnatomy: false, mebibytes: 1055),
    Peak(voxels: 4_096_000, readsAnatomy: true, usesContext: true, mebibytes: 1020),
    Peak(voxels: 4_096_000, readsAnatomy: true, usesContext: true, samples: 4, mebibytes: 1440),
    Peak(voxels: 4_096_000, readsAnatomy: false, usesContext: true, mebibytes: 938),
    Peak(voxels: 16_777_216, readsAnatomy: true, usesContext: true, mebibytes: 1104),
    Peak(voxels: 70_444_997, readsAnatomy: true, usesContext: true, mebibytes: 1586),
    Peak(voxels: 70_444_997, readsAnatomy: true, usesContext: true, samples: 4, mebibytes: 2021),
    Peak(voxels: 70_444_997, readsAnatomy: false, usesContext: true, mebibytes: 1526),
  ]

  /// An estimate is never below the peak, and at most an eighth above it.
  @Test func estimatesHoldWhatWasMeasured() {
    for peak in Self.peaks {
      let memory = SegmentationMemory(
        atlas: 160 * 192 * 224, labels: 42, readsAnatomy: peak.readsAnatomy,
        usesContext: peak.usesContext, samples: peak.samples)
      let estimate = memory.whole(voxels: peak.voxels) >> 20
      let allowed = peak.mebibytes...peak.mebibytes * 9 / 8
      #expect(allowed.contains(estimate), "\(peak) \(estimate)")
    }
  }
}
