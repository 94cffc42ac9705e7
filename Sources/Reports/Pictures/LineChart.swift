import Foundation

/// A chart of curves as SVG: axes with numbers, a legend, no scripts and no fonts of its own.
package struct LineChart {
  package struct Curve {
    package let name: String
    /// `#rrggbb`.
    package let color: String
    package let points: [(x: Double, y: Double)]
    package var isDashed: Bool

    package init(
      _ name: String, color: String, _ points: [(x: Double, y: Double)], isDashed: Bool = false
    ) {
      self.name = name
      self.color = color
      self.points = points.filter { $0.x.isFinite && $0.y.isFinite }
      self.isDashed = isDashed
    }
  }

  package let title: String
  package let xName: String
  package let curves: [Curve]
  /// Pixels.
  package static let size = (width: 640.0, height: 260.0)
  private static let margin = (left: 64.0, right: 16.0, top: 44.0, bottom: 40.0)

  package init(title: String, xName: String, curves: [Curve]) {
    self.title = title
    self.xName = xName
    self.curves = curves.filter { !$0.points.isEmpty }
  }

  /// The chart with its upper edge at `y` within a larger picture.
  func element(atY top: Double) -> String {
    let (size, margin) = (Self.size, Self.margin)
    let points = curves.flatMap(\.points)
    let xTicks = Self.ticks(points.map(\.x).min() ?? 0, points.map(\.x).max() ?? 1)
    let yTicks = Self.ticks(points.map(\.y).min() ?? 0, points.map(\.y).max() ?? 1)
    let plot = (
      width: size.width - margin.left - margin.right,
      height: size.height - margin.top - margin.bottom
    )
    func place(_ value: Double, _ ticks: [Double]) -> Double {
      let (low, high) = (ticks.first ?? 0, ticks.last ?? 1)
      return high > low ? (value - low) / (high - low) : 0.5
    }
    func x(_ value: Double) -> String {
      DecimalText.fixed(margin.left + place(value, xTicks) * plot.width, 1)
    }
    func y(_ value: Double) -> String {
      DecimalText.fixed(margin.top + (1 - place(value, yTicks)) * plot.height, 1)
    }
    let bottom = DecimalText.fixed(margin.top + plot.height, 1)
    let right = DecimalText.fixed(margin.left + plot.width, 1)
    var lines = [
      "<g transform=\"translate(0,\(DecimalText.fixed(top, 0)))\">",
      "<text x=\"\(margin.left)\" y=\"18\" font-size=\"14\" font-weight=\"bold\">\(title)</text>",
    ]
    for tick in yTicks {
      lines.append(
        "<line x1=\"\(margin.left)\" x2=\"\(right)\" y1=\"\(y(tick))\" y2=\"\(y(tick))\" "
          + "stroke=\"#dddddd\"/><text x=\"\(margin.left - 6)\" y=\"\(y(tick))\" dy=\"4\" "
          + "text-anchor=\"end\">\(Self.number(tick, of: yTicks))</text>")
    }
    for tick in xTicks {
      lines.append(
        "<text x=\"\(x(tick))\" y=\"\(bottom)\" dy=\"16\" text-anchor=\"middle\">"
          + "\(Self.number(tick, of: xTicks))</text>")
    }
    lines.append(
      "<text x=\"\(right)\" y=\"\(bottom)\" dy=\"32\" text-anchor=\"end\">\(xName)</text>")
    var left = margin.left
    for curve in curves {
      let path = curve.points.map { "\(x($0.x)),\(y($0.y))" }.joined(separator: " ")
      let dash = curve.isDashed ? " stroke-dasharray=\"5 4\"" : ""
      if curve.points.count == 1, let point = curve.points.first {
        // A line needs two.
        lines.append(
          "<circle cx=\"\(x(point.x))\" cy=\"\(y(point.y))\" r=\"3\" fill=\"\(curve.color)\"/>")
      }
      lines.append(
        "<polyline fill=\"none\" stroke=\"\(curve.color)\" stroke-width=\"1.5\"\(dash) "
          + "points=\"\(path)\"/>")
      lines.append(
        "<line x1=\"\(left)\" x2=\"\(left + 18)\" y1=\"32\" y2=\"32\" stroke=\"\(curve.color)\" "
          + "stroke-width=\"3\"\(dash)/><text x=\"\(left + 24)\" y=\"36\">\(curve.name)</text>")
      left += 40 + 7 * Double(curve.name.count)
    }
    return (lines + ["</g>"]).joined(separator: "\n")
  }

  /// Charts one below the other, as a file.
  package static func svg(_ charts: [LineChart]) -> String {
    let height = size.height * Double(max(1, charts.count))
    let elements = charts.enumerated().map { $1.element(atY: Double($0) * size.height) }
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(size.width) \(height)" \
      width="\(size.width)" height="\(height)" font-family="sans-serif" font-size="12">
      <rect width="100%" height="100%" fill="white"/>
      \(elements.joined(separator: "\n"))
      </svg>

      """
  }

  /// Round numbers that cover a range, four to nine of them.
  static func ticks(_ least: Double, _ most: Double) -> [Double] {
    let span = most > least ? most - least : max(abs(most), 1)
    var step = 1.0
    while step > span { step /= 10 }
    while step * 10 <= span { step *= 10 }
    for factor in [0.5, 0.5, 0.4] where span / step < 4 { step *= factor }
    let first = (least / step).rounded(.down)
    let last = max(first + 1, (most / step).rounded(.up))
    return stride(from: first, through: last, by: 1).map { $0 * step }
  }

  /// A tick in digits enough to tell it from the next, or, where those would not fit into the margin, with an
  /// exponent.
  private static func number(_ value: Double, of ticks: [Double]) -> String {
    if abs(value) >= 1e6 {
      let exponent = log10(abs(value)).rounded(.down)
      return DecimalText.fixed(value / pow(10, exponent), 2) + "e\(Int(exponent))"
    }
    let step = ticks.count > 1 ? ticks[1] - ticks[0] : 1
    let decimals = (0...6).first { decimals in
      let scaled = step * pow(10, Double(decimals))
      return abs(scaled - scaled.rounded()) < 1e-3 * scaled
    }
    return DecimalText.fixed(value, decimals ?? 6)
  }
}
