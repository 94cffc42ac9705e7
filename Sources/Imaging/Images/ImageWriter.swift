import Files
import Parallel

/// Writes scans and label maps as NIfTI, atomically and with reproducible bytes.
///
/// NIfTI-1 unless an extent needs NIfTI-2 or the input was one. Nothing of the input's header
/// beyond its geometry is repeated: no text, no extensions, which may hold a person's name.
package enum ImageWriter {
  /// Whether a name is one that can be written: it ends in `.nii` or `.nii.gz`.
  package static func canWrite(_ path: String) -> Bool { ImageSink.isWritable(path) }

  /// Writes a label map: the smallest of uint8, int16 and int32 that holds every label, intent
  /// 1002.
  ///
  /// `like` is the header of the image that the labels lie on; its geometry is repeated where it is
  /// valid and the grids are equal. `path` ends in `.nii` or `.nii.gz`. The description, at most 80
  /// bytes, must contain `segpipe` for the file to be known as our own.
  ///
  /// Throws: `ImagingError`, `FileError`; nothing is left behind then.
  package static func write(
    labels: Volume<Int32>, like: ImageHeader?, to path: String, description: String
  ) throws {
    try staged(labels: labels, like: like, to: path, description: description).commit()
  }

  /// The same, as a file that has no name yet: to be committed with others.
  package static func staged(
    labels: Volume<Int32>, like: ImageHeader?, to path: String, description: String
  ) throws -> AtomicFile {
    let largest = labels.voxels.max() ?? 0
    if let negative = labels.voxels.min(), negative < 0 {
      throw ImagingError.labelOutOfRange(path: path, value: Int(negative))
    }
    let type: VoxelType = largest <= 255 ? .uint8 : largest <= Int32(Int16.max) ? .int16 : .int32
    var header = OutputHeader.make(
      grid: labels.grid, like: like, type: type, volumes: nil, description: description)
    header.intentCode = 1002
    header.intentName = "segpipe labels"
    header.calMax = Double(largest)
    let sink = try ImageSink(path, header: header)
    switch type {
    case .uint8: try sink.write(labels.voxels) { UInt8(truncatingIfNeeded: $0) }
    case .int16: try sink.write(labels.voxels) { Int16(truncatingIfNeeded: $0).littleEndian }
    default: try sink.write(labels.voxels) { $0.littleEndian }
    }
    return try sink.staged()
  }

  /// Writes a scan as float32, unscaled. Parameters and errors as for labels.
  package static func write(
    scan: Volume<Float>, like: ImageHeader?, to path: String, description: String
  ) throws {
    try staged(scan: scan, like: like, to: path, description: description).commit()
  }

  /// The same, as a file that has no name yet: to be committed with others. `intentName`, at most 16 bytes, tells what it
  /// holds where it is no scan.
  package static func staged(
    scan: Volume<Float>, like: ImageHeader?, to path: String, description: String,
    intentName: String = ""
  ) throws -> AtomicFile {
    var header = OutputHeader.make(
      grid: scan.grid, like: like, type: .float32, volumes: nil, description: description)
    header.intentName = intentName
    let sink = try ImageSink(path, header: header)
    try sink.write(scan.voxels) { $0.bitPattern.littleEndian }
    return try sink.staged()
  }
}

extension ImageSink {
  /// Appends values, each turned into what the file holds, a few MiB at a time.
  func write<Value: Sendable, Stored: BitwiseCopyable>(
    _ values: [Value], _ store: @Sendable (Value) -> Stored
  ) throws {
    let size = MemoryLayout<Stored>.stride
    let part = 1 << 22
    let buffer = try RawBytes(count: min(values.count, part) * size)
    var start = 0
    while start < values.count {
      let count = min(part, values.count - start)
      nonisolated(unsafe) let target = buffer.buffer
      values.withUnsafeBufferPointer { source in
        nonisolated(unsafe) let source = source
        Parallel.forEachRange(of: count, size: 1 << 17) { [start] range in
          for index in range {
            target.storeBytes(
              of: store(source[start + index]), toByteOffset: index * size, as: Stored.self)
          }
        }
      }
      try write(
        UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(target).prefix(count * size)))
      start += count
    }
  }
}
