/// Why a label table cannot be used.
package struct LabelTableError: Error, Equatable {
  /// Nil for a table that came from no file.
  package let file: String?
  /// Counted from 1; nil where the file as a whole is meant.
  package let line: Int?
  package let problem: Problem

  package init(file: String?, line: Int? = nil, _ problem: Problem) {
    self.file = file
    self.line = line
    self.problem = problem
  }

  /// What was found.
  package enum Problem: Equatable, Sendable {
    case missingFile
    case isFolder
    case unreadable(reason: String)
    case tooLarge(bytes: Int, limit: Int)
    case notText(byte: Int)
    case unknownFormat
    case noLabels
    case missingColumn(String)
    case repeatedColumn(String)
    case fieldCount(found: Int, expected: String)
    case notANumber(column: String, text: String)
    case notAColor(text: String)
    case colorOutOfRange(channel: String, value: Int)
    case negativeIndex(Int)
    case indexTooLarge(Int)
    case emptyName
    case controlCharacter(in: String)
    case repeatedValue(Int32, first: String, firstLine: Int?)
    case mappingOutOfRange(Int)
    case backgroundHasPartner
    case backgroundMerged(into: String)
    case unpairedPartner(label: Int32, partner: Int32)
  }
}
