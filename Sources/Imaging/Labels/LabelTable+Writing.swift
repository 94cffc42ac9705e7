extension LabelTable {
  /// The table as a file's bytes.
  ///
  /// Only `tsv` keeps everything. The others keep values, names and colours; those whose fields are
  /// separated by spaces get `_` for a space in a name.
  ///
  /// - Throws: `LabelTableError` for a format that is only read.
  package func encoded(as format: LabelTableFormat) throws -> [UInt8] {
    let lines: [String]
    switch format {
    case .tsv: lines = TSVLabels.lines(labels)
    case .freesurfer: lines = FreeSurferLabels.lines(labels)
    case .itksnap: lines = ITKSnapLabels.lines(labels)
    case .slicer: lines = SlicerLabels.lines(labels)
    case .fastsurfer: throw LabelTableError(file: nil, .unknownFormat)
    }
    return Array((lines.joined(separator: "\n") + "\n").utf8)
  }

  /// Words of a file by which it is known as one that was written here.
  package static func mark(of format: LabelTableFormat) -> String {
    format == .tsv ? firstLine : Self.writer
  }

  /// What formats that have comments say.
  static let writer = "written by segpipe"

  /// The first line of a `tsv` file, by which one of these tables is known.
  package static let firstLine = TSVLabels.columns.joined(separator: "\t") + "\n"
}

extension String {
  /// Padded with spaces to a width, on the left or on the right.
  func padded(to width: Int, left: Bool = false) -> String {
    let spaces = String(repeating: " ", count: max(0, width - count))
    return left ? spaces + self : self + spaces
  }

  /// With `_` for every white space.
  var unbroken: String { String(map { $0.isWhitespace ? "_" : $0 }) }
}
