import Files
import Foundation
import Imaging
import Reports

/// The scans that a command line asks for: files, folders, and a list of paths.
struct ScanList {
  /// In the order given, a folder's by name.
  private(set) var paths: [String] = []
  /// Those that came from a folder rather than by their own name.
  private(set) var fromFolders: Set<String> = []
  /// What lies in folders and is no image by name, or no file, or was made of a scan here.
  private(set) var ignored = 0

  /// Gathers them. A list is a text file of one path a line, `-` for standard input; empty lines and lines
  /// that start with `#` are skipped.
  ///
  /// - Throws: `ScanListError`; `FileError` for a list or folder that cannot be read.
  init(_ arguments: [String], list: String?) throws {
    for argument in arguments { try add(argument) }
    if let list {
      for path in try Self.lines(of: list) { try add(path) }
    }
    guard !paths.isEmpty else {
      throw ScanListError.noScans(arguments + [list].compactMap { $0 }, ignored: ignored)
    }
  }

  /// Drops scans that came from folders.
  mutating func drop(_ isUnwanted: (String) -> Bool) {
    let before = paths.count
    paths.removeAll { fromFolders.contains($0) && isUnwanted($0) }
    ignored += before - paths.count
  }

  private mutating func add(_ argument: String) throws {
    guard Self.isFolder(argument) else {
      paths.append(argument)
      return
    }
    let folder = argument.hasSuffix("/") ? String(argument.dropLast()) : argument
    let names = try Folder.names(in: argument).filter { !$0.hasPrefix(".") }
    let found = ImageName.images(among: names) { Self.canBeScan("\(folder)/\($0)") }
    let scans = found.images.map { "\(folder)/\($0)" }
    paths += scans
    fromFolders.formUnion(scans)
    ignored += found.others
  }

  private static func lines(of list: String) throws -> [String] {
    var handle = FileHandle.standardInput
    if list != "-" {
      guard FileManager.default.fileExists(atPath: list) else {
        throw FileError.missing(path: list)
      }
      if isFolder(list) { throw ScanListError.listIsFolder(list) }
      // Opened by name alone: a pipe's size and kind tell nothing of what it holds.
      let descriptor = open(list, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw FileError.unreadable(path: list, code: errno) }
      handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }
    let data: Data
    do { data = try handle.readToEnd() ?? Data() } catch {
      throw FileError.readFailed(path: list, code: EIO)
    }
    guard let text = String(data: data, encoding: .utf8), !text.contains("\0") else {
      throw ScanListError.listIsNoText(list)
    }
    return text.split(whereSeparator: \.isNewline).map(String.init)
      .filter { !$0.allSatisfy(\.isWhitespace) && !$0.hasPrefix("#") }
  }

  static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && isFolder.boolValue
  }

  /// Whether nothing else than a file is there: a folder, a pipe, a device; nor what was made of a scan here. A link to
  /// nothing may become a scan.
  static func canBeScan(_ path: String) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0 else { return true }
    return status.st_mode & S_IFMT == S_IFREG && !ImageReader.isResult(path)
  }

  /// A scan's name without folder and extension; `stdin` for standard input.
  static func name(of path: String) -> String { path == "-" ? "stdin" : ImageName(path).name }
}

/// Why there is nothing to work on.
enum ScanListError: Error, Equatable {
  case noScans([String], ignored: Int)
  case listIsFolder(String)
  case listIsNoText(String)
}

extension ScanListError: Diagnosable {
  var diagnosis: Diagnosis {
    switch self {
    case .noScans(let places, let ignored):
      let others = ignored == 0 ? "" : "; \(ignored) other files were ignored"
      return Diagnosis(
        "\(places.joined(separator: ", ")): no scans\(others)",
        hint: "Scans end in "
          + ImageName.readable.dropLast().joined(separator: ", ")
          + " or \(ImageName.readable.last ?? "").", status: .noInput)
    case .listIsFolder(let path):
      return Diagnosis(
        "\(path): a folder, expected a text file that lists scans",
        hint: "Name the folder without --list.", status: .usage)
    case .listIsNoText(let path):
      return Diagnosis(
        "\(path): not a text file of one path a line",
        hint: "Name scans themselves without --list.", status: .badData)
    }
  }
}
