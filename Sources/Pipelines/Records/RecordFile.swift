import Files
import Foundation

/// Records as files: JSON that carries its own digest, so that a flipped bit is noticed wherever it is.
///
///     {"sha256":"64 digits","record":{...}}
enum RecordFile {
  /// What is wrong with a record.
  enum Reading {
    case none
    case damaged
    case record(Record)
  }

  private static let before = Array(#"{"sha256":""#.utf8)
  private static let between = Array(#"","record":"#.utf8)
  private static let after = Array("}\n".utf8)

  static func read(_ path: String) -> Reading {
    guard let data = FileManager.default.contents(atPath: path) else {
      return FileManager.default.fileExists(atPath: path) ? .damaged : .none
    }
    let bytes = [UInt8](data)
    let head = before.count + 64 + between.count
    guard bytes.count > head + after.count, bytes.starts(with: before),
      bytes[(before.count + 64)...].starts(with: between),
      bytes.suffix(after.count).elementsEqual(after)
    else { return .damaged }
    let body = Data(bytes[head..<bytes.count - after.count])
    let digest = bytes[before.count..<before.count + 64]
    guard digest.elementsEqual(sha256(body).utf8),
      let record = try? JSONDecoder().decode(Record.self, from: body), record.isOfThisSchema
    else { return .damaged }
    return .record(record)
  }

  /// The file's bytes. Throws: an encoding error.
  static func bytes(_ record: Record) throws -> [UInt8] {
    let body = try JSONBytes.encode(record)
    return before + Array(sha256(body).utf8) + between + [UInt8](body) + after
  }

  private static func sha256(_ data: Data) -> String {
    var hash = SHA256()
    data.withUnsafeBytes { hash.update($0) }
    return hash.hexadecimal
  }
}
