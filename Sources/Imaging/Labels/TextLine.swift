/// A line of a text file that says something, with its number counted from 1.
struct TextLine {
  let number: Int
  let text: String

  /// The lines of UTF-8 text that are not blank. A byte-order mark is skipped; lines end with LF, CR LF
  /// or CR.
  ///
  /// - Throws: `LabelTableError` where the bytes are not UTF-8 or hold a NUL.
  static func lines(of bytes: [UInt8], file: String?) throws -> [TextLine] {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let start = bytes.starts(with: mark) ? mark.count : 0
    if let zero = bytes.firstIndex(of: 0) {
      throw LabelTableError(file: file, .notText(byte: zero))
    }
    let newline = UInt8(ascii: "\n")
    let carriageReturn = UInt8(ascii: "\r")
    var lines: [TextLine] = []
    var number = 0
    var position = start
    while position < bytes.count {
      let end =
        bytes[position...].firstIndex { $0 == newline || $0 == carriageReturn } ?? bytes.count
      number += 1
      guard let text = String(validating: bytes[position..<end], as: UTF8.self) else {
        throw LabelTableError(file: file, line: number, .notText(byte: position))
      }
      if !text.trimmedOfSpaces.isEmpty { lines.append(TextLine(number: number, text: text)) }
      let pair = end + 1 < bytes.count && bytes[end] == carriageReturn && bytes[end + 1] == newline
      position = end + (pair ? 2 : 1)
    }
    return lines
  }
}
