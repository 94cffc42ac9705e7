import Files
import Foundation
import Pipelines
import Reports

/// Which scans of a dataset are meant, as other BIDS Apps have it: a JSON file of queries.
///
///     {"t1w": {"session": "pre", "acquisition": null, "run": [1, 2]}, "any": {"suffix": "T2w"}}
///
/// A scan is meant when one of the queries is true of it. Entities go by their long names; null is an entity
/// that is not there, `*` one that is, a list any of its values; numbers are compared as such. Suffixes are
/// the query's own, else that of its name. Queries of other modalities, such as `bold`, are for other programs.
struct BIDSFilter {
  private enum Value {
    case absent
    case present
    case text(String)
  }

  private struct Query {
    let suffixes: [String]
    /// With their dots; nil: any.
    let endings: [String]?
    /// By short name, the values that will do.
    let entities: [(key: String, values: [Value])]
  }

  /// What a query's name stands for in the file; nil for anything but an object of values.
  private struct Fields: Decodable {
    let values: [String: JSONValue]?

    init(from decoder: any Decoder) throws {
      values = try? [String: JSONValue](from: decoder)
    }
  }

  private let queries: [Query]
  /// Names of queries that ask for no anatomical images.
  let skipped: [String]

  private static let keys = [
    "subject": "sub", "session": "ses", "sample": "sample", "acquisition": "acq",
    "ceagent": "ce", "reconstruction": "rec", "direction": "dir", "run": "run", "echo": "echo",
    "flip": "flip", "inversion": "inv", "mtransfer": "mt", "part": "part", "chunk": "chunk",
  ]
  private static let suffixes = ["t1w": "T1w", "t2w": "T2w", "flair": "FLAIR", "pdw": "PDw"]
  private static let others: Set = [
    "func", "bold", "sbref", "fmap", "dwi", "perf", "asl", "m0scan", "pet", "meg", "eeg", "ieeg",
    "nirs", "beh", "motion", "micr", "mrs", "roi",
  ]

  /// Reads one. Throws: `BIDSError.badFilter`, `FileError`.
  init(_ path: String) throws {
    func wrong(_ found: String) -> BIDSError { .badFilter(path: path, found: found) }
    guard let data = FileManager.default.contents(atPath: path) else {
      guard FileManager.default.fileExists(atPath: path) else {
        throw FileError.missing(path: path)
      }
      throw ScanList.isFolder(path)
        ? FileError.wrongKind(path: path, found: .folder, expected: .file)
        : FileError.unreadable(path: path, code: EACCES)
    }
    guard let content = try? JSONDecoder().decode([String: Fields].self, from: data) else {
      throw wrong("not a JSON object")
    }
    if content.isEmpty { throw wrong("no query") }
    skipped = content.keys.filter(Self.others.contains).sorted()
    queries = try content.filter { !Self.others.contains($0.key) }.sorted { $0.key < $1.key }
      .map { name, body in
        guard let fields = body.values else {
          throw wrong("'\(name)' is no object of texts, numbers and lists")
        }
        do {
          return try Self.query(name, fields)
        } catch let problem as Problem {
          throw wrong("'\(name)' \(problem.words)")
        }
      }
    if queries.isEmpty { throw wrong("no query of anatomical images") }
  }

  /// What is wrong with a query, to be said after its name.
  private struct Problem: Error {
    let words: String
  }

  private static func query(_ name: String, _ fields: [String: JSONValue]) throws -> Query {
    if let found = fields["datatype"], try texts("datatype", found) != ["anat"] {
      throw Problem(words: "asks for the datatype \(found), which is not anat")
    }
    guard
      let suffixes = try fields["suffix"].map({ try texts("suffix", $0) })
        ?? Self.suffixes[name].map({ [$0] })
    else { throw Problem(words: "has no suffix") }
    let endings = try fields["extension"].map { try texts("extension", $0) }
    let entities = try fields.filter { !["suffix", "datatype", "extension"].contains($0.key) }
      .map { field, value in
        guard let key = keys[field] else {
          throw Problem(words: "asks for '\(field)', which is no entity of anatomical images")
        }
        return (key, try list(value).map { try Self.value(field, $0) })
      }
    return Query(
      suffixes: suffixes, endings: endings?.map { $0.hasPrefix(".") ? $0 : "." + $0 },
      entities: entities.sorted { $0.0 < $1.0 })
  }

  private static func list(_ value: JSONValue) -> [JSONValue] {
    if case .list(let values) = value { values } else { [value] }
  }

  /// One text or several, for what every scan has.
  private static func texts(_ field: String, _ value: JSONValue) throws -> [String] {
    try list(value).map {
      guard case .text(let text) = try Self.value(field, $0) else {
        throw Problem(words: "gives '\(field)' no text")
      }
      return text
    }
  }

  private static func value(_ field: String, _ value: JSONValue) throws -> Value {
    switch value {
    case .null: return .absent
    case .text(let text): return text == "*" ? .present : .text(text)
    case .number(let number):
      if let whole = Int(exactly: number) { return .text("\(whole)") }
    case .flag, .list: break
    }
    throw Problem(words: "gives '\(field)' \(value), which is neither text nor whole number")
  }

  /// Kinds of images that are asked for.
  var suffixes: [String] { Set(queries.flatMap(\.suffixes)).sorted() }

  func accepts(_ name: BIDSName) -> Bool {
    queries.contains { query in
      query.suffixes.contains(name.suffix) && query.endings?.contains(name.ending) ?? true
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
