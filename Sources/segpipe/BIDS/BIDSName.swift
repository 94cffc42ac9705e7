/// A file name as BIDS has it: entities, a suffix and an ending, as in `sub-01_ses-2_acq-fast_T1w.nii.gz`.
package struct BIDSName: Equatable, Sendable {
  package struct Entity: Equatable, Sendable {
    package let key: String
    package let value: String
  }

  /// In the order of the name.
  package let entities: [Entity]
  package let suffix: String
  /// With its dot.
  package let ending: String

  /// Nil for a name that is none: entities are `key-value`, letters and digits, the subject first.
  package init?(_ file: String) {
    guard let dot = file.firstIndex(of: "."), dot != file.startIndex else { return nil }
    ending = String(file[dot...])
    var parts = file[..<dot].split(separator: "_", omittingEmptySubsequences: false)
    guard let last = parts.popLast(), Self.isWord(last) else { return nil }
    suffix = String(last)
    var found: [Entity] = []
    for part in parts {
      let words = part.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
      guard words.count == 2, Self.isWord(words[0]), Self.isWord(words[1]) else { return nil }
      found.append(Entity(key: String(words[0]), value: String(words[1])))
    }
    guard found.first?.key == "sub" else { return nil }
    entities = found
  }

  private static func isWord(_ text: Substring) -> Bool {
    !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "+") }
  }

  package subscript(key: String) -> String? { entities.first { $0.key == key }?.value }

  /// Without its ending.
  package var stem: String {
    (entities.map { "\($0.key)-\($0.value)" } + [suffix]).joined(separator: "_")
  }

  /// Entities that stand after all others, in BIDS's order.
  private static let late = [
    "space", "split", "recording", "chunk", "atlas", "seg", "scale", "res", "den", "label", "desc",
  ]

  /// The name, without ending, of what was made from it: with further entities and another suffix.
  package func derived(_ more: [(key: String, value: String)], suffix: String) -> String {
    let added = more.map { Entity(key: $0.key, value: $0.value) }
    let all = entities.filter { old in !added.contains { $0.key == old.key } } + added
    func rank(_ entity: Entity) -> Int { (Self.late.firstIndex(of: entity.key) ?? -1) + 1 }
    let ordered = all.enumerated().sorted {
      (rank($0.element), $0.offset) < (rank($1.element), $1.offset)
    }
    return (ordered.map { "\($0.element.key)-\($0.element.value)" } + [suffix])
      .joined(separator: "_")
  }
}
