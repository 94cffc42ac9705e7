import Files
import Imaging

extension LabelTable {
  /// 16 hexadecimal digits that tell tables apart by what decides how maps are mirrored, and scans drawn and fitted:
  /// values, tissue groups, sides and tissues.
  var digest: String {
    Self.digest(
      labels.map { label in
        let (partner, tissue) = (label.partner.map { "\($0)" }, label.mapping.map { "\($0)" })
        return ["\(label.index)", label.group, partner ?? "n/a", tissue ?? "n/a"]
          .joined(separator: "\t")
      })
  }

  /// The first 16 digits of the SHA-256 of lines of text.
  static func digest(_ lines: [String]) -> String {
    var hash = SHA256()
    Array(lines.joined(separator: "\n").utf8).withUnsafeBytes { hash.update($0) }
    return String(hash.hexadecimal.prefix(16))
  }
}
