import Foundation

/// JSON whose bytes follow from the value alone: keys are sorted.
package enum JSONBytes {
  /// On one line, or indented for people. Slashes stand as they are, unless they are to be escaped.
  ///
  /// - Throws: an encoding error.
  package static func encode(
    _ value: some Encodable, pretty: Bool = false, escapingSlashes: Bool = false
  ) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
    if !escapingSlashes { encoder.outputFormatting.insert(.withoutEscapingSlashes) }
    return try encoder.encode(value)
  }

  /// The same as text.
  package static func text(
    _ value: some Encodable, pretty: Bool = false, escapingSlashes: Bool = false
  ) throws -> String {
    String(
      decoding: try encode(value, pretty: pretty, escapingSlashes: escapingSlashes), as: UTF8.self)
  }

  /// A file's bytes: indented unless told otherwise, and a line feed at the end.
  package static func file(_ value: some Encodable, pretty: Bool = true) throws -> [UInt8] {
    [UInt8](try encode(value, pretty: pretty)) + [UInt8(ascii: "\n")]
  }
}
