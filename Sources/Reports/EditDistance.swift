/// How alike words are.
package enum EditDistance {
  /// Letters to insert, remove or replace to turn one word into the other (Levenshtein).
  package static func between(_ a: String, _ b: String) -> Int {
    let other = Array(b)
    var row = Array(0...other.count)
    for (place, letter) in a.enumerated() {
      var diagonal = row[0]
      row[0] = place + 1
      for column in other.indices {
        let kept = diagonal + (letter == other[column] ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = min(kept, diagonal + 1, row[column] + 1)
      }
    }
    return row[other.count]
  }

  /// `Did you mean ...?` where one of the words is near, else nil.
  package static func suggestion(for given: String, among words: [String]) -> String? {
    let near = words.map { (word: $0, distance: between(given, $0)) }.min {
      $0.distance < $1.distance
    }
    guard let near, near.distance <= max(2, near.word.count / 3) else { return nil }
    return "Did you mean '\(near.word)'?"
  }
}
