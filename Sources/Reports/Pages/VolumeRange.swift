import Anatomy

/// A structure's volumes in the label maps of an atlas, and how others stand to them.
struct VolumeRange {
  enum Place: String {
    case within
    /// Outside, by less than half of the end that is passed.
    case outside
    case farOutside
  }

  let statistics: VolumeStatistics

  /// Nil where no label map holds the structure.
  init?(_ statistics: VolumeStatistics) {
    guard statistics.count > 0 else { return nil }
    self.statistics = statistics
  }

  func place(of volume: Double) -> Place {
    if (statistics.least...max(statistics.least, statistics.most)).contains(volume) {
      return .within
    }
    return volume < 0.5 * statistics.least || volume > 1.5 * statistics.most
      ? .farOutside : .outside
  }

  /// An axis that shows the range in its middle, with the range and its mean.
  func strip() -> Strip {
    let (least, most) = (statistics.least, max(statistics.most, statistics.least))
    var strip = Strip(from: 0.4 * least, to: most + 0.6 * max(least, 0.5 * most))
    strip.bar(from: least, to: most, color: "#c9daf8")
    strip.tick(at: statistics.mean, color: "#6d8fc9")
    return strip
  }

  /// In millilitres.
  var text: String { "\(Self.text(statistics.least)) to \(Self.text(statistics.most))" }

  /// mm3 as millilitres.
  static func text(_ volume: Double) -> String {
    DecimalText.fixed(volume / 1000, volume.magnitude < 10_000 ? 2 : 1)
  }
}

extension VolumeRange.Place {
  /// Of a dot.
  var color: String {
    switch self {
    case .within: "#274e13"
    case .outside: "#b45f06"
    case .farOutside: "#cc0000"
    }
  }

  var words: String? {
    switch self {
    case .within: nil
    case .outside: "outside the range"
    case .farOutside: "far outside"
    }
  }
}
