/// Numbers at fixed places of a header, in either byte order.
struct HeaderBytes {
  let bytes: UnsafeRawBufferPointer
  let bigEndian: Bool

  func integer<Value: FixedWidthInteger>(_ offset: Int, _: Value.Type) -> Value {
    let raw = bytes.loadUnaligned(fromByteOffset: offset, as: Value.self)
    return bigEndian ? Value(bigEndian: raw) : Value(littleEndian: raw)
  }

  func int16(_ offset: Int) -> Int { Int(integer(offset, Int16.self)) }
  func int32(_ offset: Int) -> Int { Int(integer(offset, Int32.self)) }
  func int64(_ offset: Int) -> Int { Int(integer(offset, Int64.self)) }
  func float(_ offset: Int) -> Double {
    Double(Float(bitPattern: integer(offset, UInt32.self)))
  }
  func double(_ offset: Int) -> Double { Double(bitPattern: integer(offset, UInt64.self)) }

  /// Text up to the first zero byte; bytes that are no UTF-8 are replaced.
  func text(_ offset: Int, _ count: Int) -> String {
    String(decoding: bytes[offset..<offset + count].prefix { $0 != 0 }, as: UTF8.self)
  }
}

/// A header being written: little-endian numbers at fixed places.
struct HeaderBuilder {
  private(set) var bytes: [UInt8]

  init(count: Int) { bytes = [UInt8](repeating: 0, count: count) }

  mutating func put<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
    withUnsafeBytes(of: value.littleEndian) {
      bytes.replaceSubrange(offset..<offset + $0.count, with: $0)
    }
  }

  mutating func put(_ value: Float, at offset: Int) { put(value.bitPattern, at: offset) }
  mutating func put(_ value: Double, at offset: Int) { put(value.bitPattern, at: offset) }

  /// Text cut to the field's size, without breaking a character.
  mutating func put(_ text: String, at offset: Int, size: Int) {
    var kept = text
    while kept.utf8.count > size { kept.removeLast() }
    bytes.replaceSubrange(offset..<offset + kept.utf8.count, with: kept.utf8)
  }
}
