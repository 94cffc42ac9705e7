/// One structure that label maps may hold.
package struct Label: Equatable, Sendable {
  /// Its value in label maps; 0 is background.
  package var index: Int32
  package var name: String
  package var abbreviation: String?
  package var color: LabelColor
  /// The number of the standard tissue it belongs to, a `BIDSTissue`.
  package var mapping: Int?
  /// Labels of one tissue group share their intensities.
  package var group: String
  /// The value of the same structure on the other side of the body.
  package var partner: Int32?
  /// Further values of source label maps that count as this label.
  package var sources: [Int32]

  package init(
    index: Int32, name: String, abbreviation: String? = nil, color: LabelColor,
    mapping: Int? = nil, group: String, partner: Int32? = nil, sources: [Int32] = []
  ) {
    self.index = index
    self.name = name
    self.abbreviation = abbreviation
    self.color = color
    self.mapping = mapping
    self.group = group
    self.partner = partner
    self.sources = sources
  }

  /// What lies outside every structure.
  package static let background = Label(
    index: 0, name: "background", color: .black, mapping: BIDSTissue.background.rawValue,
    group: "background")
}

/// A colour of 8 bits a channel.
package struct LabelColor: Equatable, Hashable, Sendable {
  package var red: UInt8
  package var green: UInt8
  package var blue: UInt8

  package init(red: UInt8, green: UInt8, blue: UInt8) {
    self.red = red
    self.green = green
    self.blue = blue
  }

  package static let black = LabelColor(red: 0, green: 0, blue: 0)

  /// From `#rrggbb`; nil for anything else.
  package init?(hexadecimal text: some StringProtocol) {
    let digits = text.utf8.dropFirst()
    guard text.utf8.first == UInt8(ascii: "#"), digits.count == 6,
      digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
      let value = UInt32(text.dropFirst(), radix: 16)
    else { return nil }
    self.init(
      red: UInt8(value >> 16 & 255), green: UInt8(value >> 8 & 255), blue: UInt8(value & 255))
  }

  /// As `#rrggbb`.
  package var hexadecimal: String {
    let digits = Array("0123456789abcdef")
    return [red, green, blue].reduce(into: "#") { text, channel in
      text.append(digits[Int(channel >> 4)])
      text.append(digits[Int(channel & 15)])
    }
  }
}
