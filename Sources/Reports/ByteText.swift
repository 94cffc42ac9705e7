/// Numbers of bytes as people read them.
package enum ByteText {
  /// In the largest binary unit that leaves at least 1, with one decimal: `1.5 GiB`.
  package static func of(_ bytes: Int) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"]
    var amount = Double(bytes)
    var unit = 0
    while amount >= 1024, unit < units.count - 1 {
      amount /= 1024
      unit += 1
    }
    return unit == 0 ? "\(bytes) bytes" : "\(DecimalText.fixed(amount, 1)) \(units[unit])"
  }
}
