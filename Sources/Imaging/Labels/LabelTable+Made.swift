extension LabelTable {
  /// A table for label maps that come without one: a name, a tissue group and a colour for each value,
  /// and no partners. Repeated values count once; 0 is background whether it is given or not.
  ///
  /// - Throws: `LabelTableError` for a negative value.
  package static func made(from values: some Sequence<Int32>) throws -> LabelTable {
    let labels = Set(values).subtracting([0]).sorted().map { value in
      Label(
        index: value, name: "label-\(value)", color: .distinct(value), group: "label-\(value)")
    }
    return try LabelTable(labels: labels)
  }
}

extension LabelColor {
  /// A colour for a value that has none: hues a golden angle apart, so that neighbouring values differ,
  /// at brightnesses that alternate. The same value always gets the same colour.
  package static func distinct(_ value: Int32) -> LabelColor {
    if value == 0 { return .black }
    let turns = Double(value) * 0.618_033_988_749_895
    let hue = (turns - turns.rounded(.down)) * 6
    let brightness = [1.0, 0.8, 0.6][Int(value.magnitude % 3)]
    let saturation = [0.85, 0.55][Int(value.magnitude / 3 % 2)]
    func channel(_ offset: Double) -> UInt8 {
      let place = (offset + hue).truncatingRemainder(dividingBy: 6)
      let ramp = max(0, min(place, 4 - place, 1))
      return UInt8((255 * brightness * (1 - saturation * ramp)).rounded())
    }
    return LabelColor(red: channel(5), green: channel(3), blue: channel(1))
  }
}
