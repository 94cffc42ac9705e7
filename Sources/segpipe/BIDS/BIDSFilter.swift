import Foundation
import Reports

/// Which scans of a dataset are meant, as other BIDS Apps have it: a JSON file of queries.
///
///     {"t1w": {"session": "pre", "acquisition": null, "run": [1, 2]}, "any": {"suffix": "T2w"}}
///
/// A scan is meant when one of the queries is true of it. Entities go by their long names; null is an entity
/// that is not there, `*` one that is, a list any of its values; numbers are compared as such. The suffix is
/// the query's own, else that of its name.
struct BIDSFilter {
  private enum Value {
    case absent
    case present
    case text(String)
  }

  private struct Query {
    let suffix: String
    /// By short name, the values that will do.
    let entities: [(key: String, values: [Value])]
  }

  private let queries: [Query]

  private static let keys = [
    "subject": "sub", "session": "ses", "sample": "sample", "acquisition": "acq",
    "ceagent": "ce", "reconstruction": "rec", "direction": "dir", "run": "run", "echo": "echo",
    "flip": "flip", "inversion": "inv", "mtransfer": "mt", "part": "part", "chunk": "chunk",
  ]
  private static let suffixes = ["t1w": "T1w", "t2w": "T2w", "flair": "FLAIR", "pdw": "PDw"]

  /// Reads one. Throws: `BIDSError.badFilter`.
  init(_ path: String) throws {
    func wrong(_ found: String) -> BIDSError { .badFilter(path: path, found: found) }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw wrong("no such file")
    }
    guard let content = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] else {
      throw wrong("not a JSON object")
    }
    queries = try content.sorted { $0.key < $1.key }.map { name, body in
      guard let fields = body as? [String: Any] else { throw wrong("'\(name)' is no object") }
      guard let suffix = fields["suffix"] as? String ?? Self.suffixes[name] else {
        throw wrong("'\(name)' has no suffix")
      }
      let entities = try fields.filter { !["suffix", "datatype"].contains($0.key) }.map { field in
        guard let key = Self.keys[field.key] else {
          throw wrong("'\(name)' asks for '\(field.key)', which is no entity of anatomical images")
        }
        let list = field.value as? [Any] ?? [field.value]
        return (
          key,
          try list.map { value in
            guard let value = Self.value(value) else {
              throw wrong("'\(name)' gives '\(field.key)' no text or number")
            }
            return value
          }
        )
      }
      return Query(suffix: suffix, entities: entities.sorted { $0.0 < $1.0 })
    }
    if queries.isEmpty { throw wrong("no query") }
  }

  private static func value(_ value: Any) -> Value? {
    switch value {
    case is NSNull: .absent
    case let text as String: text == "*" ? .present : .text(text)
    case let number as Int: .text("\(number)")
    default: nil
    }
  }

  /// Kinds of images that are asked for.
  var suffixes: [String] { Set(queries.map(\.suffix)).sorted() }

  func accepts(_ name: BIDSName) -> Bool {
    queries.contains { query in
      query.suffix == name.suffix
        && query.entities.allSatisfy { key, values in
          values.contains { Self.holds($0, of: name[key]) }
        }
    }
  }

  private static func holds(_ value: Value, of found: String?) -> Bool {
    switch value {
    case .absent: return found == nil
    case .present: return found != nil
    case .text(let text):
      guard let found else { return false }
      if let a = Int(text), let b = Int(found) { return a == b }
      return text == found
    }
  }
}
