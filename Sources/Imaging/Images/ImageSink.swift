import Files

/// A `.nii` or `.nii.gz` file being written: header first, voxels after, whole or not at all.
final class ImageSink {
  private let file: AtomicFile
  private let gzip: GzipWriter?
  private var isFinished = false

  /// Whether a name is one that can be written.
  static func isWritable(_ path: String) -> Bool {
    let name = path.lowercased()
    return name.hasSuffix(".nii") || name.hasSuffix(".nii.gz")
  }

  /// Throws: `ImagingError`, `FileError`.
  init(_ path: String, header: NIfTIHeader, level: Int32 = 6) throws {
    guard Self.isWritable(path) else { throw ImagingError.unknownOutputFormat(path: path) }
    file = try AtomicFile(path)
    gzip = path.lowercased().hasSuffix(".gz") ? try GzipWriter(file, level: level) : nil
    try header.serialised().withUnsafeBytes { try write($0) }
  }

  /// Appends voxels, in little-endian order. Throws: `ImagingError`, `FileError`.
  func write(_ bytes: UnsafeRawBufferPointer) throws {
    if let gzip { try gzip.write(bytes) } else { try file.write(bytes) }
  }

  /// Writes the last bytes, still under the temporary name. Throws: `ImagingError`, `FileError`.
  func finish() throws {
    if !isFinished { try gzip?.finish() }
    isFinished = true
  }

  /// The file with its last bytes, still under the temporary name. Throws: `ImagingError`, `FileError`.
  func staged() throws -> AtomicFile {
    try finish()
    return file
  }

  /// Makes the file appear. Throws: `ImagingError`, `FileError`.
  func commit() throws { try staged().commit() }
}
