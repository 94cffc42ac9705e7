/// Numbers as text, the same in every locale.
package enum DecimalText {
  /// With a fixed number of decimals, at most 9, halves rounded away from zero; `n/a` for what is not
  /// finite. Numbers whose digits do not fit 18 places come as Swift prints them.
  package static func fixed(_ value: Double, _ decimals: Int) -> String {
    guard value.isFinite else { return "n/a" }
    let scale = (0..<decimals).reduce(1) { product, _ in product * 10 }
    let scaled = (value.magnitude * Double(scale)).rounded()
    guard scaled < 1e18 else { return "\(value)" }
    let units = Int(scaled)
    let sign = value < 0 && units > 0 ? "-" : ""
    if decimals == 0 { return "\(sign)\(units)" }
    let rest = "\(units % scale)"
    let zeros = String(repeating: "0", count: decimals - rest.count)
    return "\(sign)\(units / scale).\(zeros)\(rest)"
  }
}
