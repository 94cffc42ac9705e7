/// A small drawing in a row of a table, along an axis that all of its marks share: SVG within a page.
struct Strip {
  static let width = 300.0
  private static let (height, middle, margin) = (18.0, 9.0, 6.0)

  private let low: Double
  private let high: Double
  private var elements: [String] = []

  /// The axis runs from `low` to `high`; marks beyond it are drawn at its ends.
  init(from low: Double, to high: Double) {
    self.low = low
    self.high = high > low && (high - low).isFinite ? high : low + 1
  }

  /// Whether a value lies on the axis.
  func holds(_ value: Double) -> Bool { (low...high).contains(value) }

  private func x(_ value: Double) -> Double {
    let share = value.isFinite ? (value - low) / (high - low) : 0
    return Self.margin + min(max(share, 0), 1) * (Self.width - 2 * Self.margin)
  }

  private static func text(_ value: Double) -> String { DecimalText.fixed(value, 1) }

  mutating func bar(
    from start: Double, to end: Double, color: String, thickness: Double = 10, opacity: Double = 1
  ) {
    let width = max(1, x(end) - x(start))
    elements.append(
      "<rect x=\"\(Self.text(x(start)))\" y=\"\(Self.text(Self.middle - thickness / 2))\" "
        + "width=\"\(Self.text(width))\" height=\"\(Self.text(thickness))\" fill=\"\(color)\" "
        + "fill-opacity=\"\(DecimalText.fixed(opacity, 2))\"/>")
  }

  mutating func tick(at value: Double, color: String) {
    let place = Self.text(x(value))
    elements.append(
      "<line x1=\"\(place)\" x2=\"\(place)\" y1=\"2\" y2=\"16\" stroke=\"\(color)\" "
        + "stroke-width=\"2\"/>")
  }

  mutating func dot(at value: Double, color: String, radius: Double = 4) {
    elements.append(
      "<circle cx=\"\(Self.text(x(value)))\" cy=\"\(Self.text(Self.middle))\" "
        + "r=\"\(Self.text(radius))\" fill=\"\(color)\"/>")
  }

  /// The element. `words` tell its content to who cannot see it.
  func svg(_ words: String) -> String {
    "<svg role=\"img\" width=\"\(Self.text(Self.width))\" height=\"\(Self.text(Self.height))\" "
      + "aria-label=\"\(HTMLText.escaped(words))\">\(elements.joined())</svg>"
  }
}

/// Text within markup that no template makes.
enum HTMLText {
  static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.append(character)
      }
    }
    return result
  }
}
