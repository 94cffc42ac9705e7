import Imaging
import Reports

/// An error that does not know the files it is about, with their names.
struct NamedError: Diagnosable {
  let files: [String]
  let error: any Error

  init(files: [String], _ error: any Error) {
    self.files = files
    self.error = error
  }

  /// Does what may fail without knowing the files that it is about.
  static func naming<T>(_ files: [String], _ body: () throws -> T) throws -> T {
    do { return try body() } catch let error as LabelComparisonError {
      throw NamedError(files: files, error)
    } catch let error as ImagingError {
      guard case .outOfMemory = error else { throw error }
      throw NamedError(files: files, error)
    }
  }

  var diagnosis: Diagnosis {
    let inner = Diagnosis(of: error)
    return Diagnosis(
      "\(files.joined(separator: ", ")): \(inner.message)", hint: inner.hint, status: inner.status)
  }
}

extension Console {
  /// Tells what a file's checks found: warnings always, notes with `-v`.
  func show(_ findings: [Finding], of path: String) {
    for finding in findings {
      let words = "\(path): \(finding.message) (\(finding.fix))"
      switch finding.level {
      case .note: detail(words)
      case .warning, .error: warn(words)
      }
    }
  }
}
