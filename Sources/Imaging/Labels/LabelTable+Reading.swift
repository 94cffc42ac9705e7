import Foundation

extension LabelTable {
  /// No label table is nearly as large; anything larger is another kind of file.
  private static let sizeLimit = 16 << 20

  /// Reads a table from a file, whose format is told by its content.
  ///
  /// Formats with no columns for them get tissue groups and partners from the names: a group per
  /// structure, both sides sharing one, and `Left-X` the partner of `Right-X`.
  ///
  /// - Throws: `LabelTableError`.
  package static func read(_ path: String) throws -> LabelTable {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw LabelTableError(file: path, .missingFile)
    }
    if isFolder.boolValue { throw LabelTableError(file: path, .isFolder) }
    let data: Data
    do {
      let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
      defer { try? handle.close() }
      data = try handle.read(upToCount: sizeLimit + 1) ?? Data()
    } catch {
      throw LabelTableError(file: path, .unreadable(reason: error.localizedDescription))
    }
    guard data.count <= sizeLimit else {
      throw LabelTableError(file: path, .tooLarge(bytes: data.count, limit: sizeLimit))
    }
    return try LabelTable(bytes: [UInt8](data), file: path)
  }

  /// Reads a table from the bytes of a file. `file` is only named in errors.
  ///
  /// - Throws: `LabelTableError`.
  package init(bytes: [UInt8], file: String?) throws {
    let lines = try TextLine.lines(of: bytes, file: file)
    guard !lines.isEmpty else { throw LabelTableError(file: file, .noLabels) }
    let rows: [LabelRow]
    switch LabelTableFormat.sniffed(lines) {
    case .tsv: rows = try TSVLabels.read(lines, file: file)
    case .freesurfer, .slicer: rows = try FreeSurferLabels.read(lines, file: file)
    case .fastsurfer: rows = try FastSurferLabels.read(lines, file: file)
    case .itksnap: rows = try ITKSnapLabels.read(lines, file: file)
    case nil: throw LabelTableError(file: file, .unknownFormat)
    }
    guard !rows.isEmpty else { throw LabelTableError(file: file, .noLabels) }
    try self.init(rows: rows, file: file)
  }
}

/// The fields of one line of a label file, and the errors that name it.
struct LabelFields {
  let file: String?
  let line: Int
  let fields: [String]

  func error(_ problem: LabelTableError.Problem) -> LabelTableError {
    LabelTableError(file: file, line: line, problem)
  }

  /// A value of label maps.
  func index(_ field: Int, column: String) throws -> Int32 {
    try index(fields[field], column: column)
  }

  func index(_ text: String, column: String) throws -> Int32 {
    let value = try number(text, column: column)
    if value < 0 { throw error(.negativeIndex(value)) }
    guard let index = Int32(exactly: value) else { throw error(.indexTooLarge(value)) }
    return index
  }

  func number(_ text: String, column: String) throws -> Int {
    guard let value = Int(text) else { throw error(.notANumber(column: column, text: text)) }
    return value
  }

  /// Three fields of 0...255.
  func color(from field: Int) throws -> LabelColor {
    let channels = try ["R", "G", "B"].enumerated().map { place, channel in
      let value = try number(fields[field + place], column: channel)
      guard let byte = UInt8(exactly: value) else {
        throw error(.colorOutOfRange(channel: channel, value: value))
      }
      return byte
    }
    return LabelColor(red: channels[0], green: channels[1], blue: channels[2])
  }
}
