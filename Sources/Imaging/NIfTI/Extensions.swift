/// The list of header extensions between a NIfTI header and its voxels. Never used, only checked.
enum Extensions {
  /// Walks the list from the end of the fixed header, as far as it makes sense.
  ///
  /// Throws: `ImagingError` when the file ends or cannot be read.
  static func check(
    _ source: ByteSource, _ header: NIfTIHeader, upTo offset: Int
  ) throws -> [Finding] {
    try withUnsafeTemporaryAllocation(byteCount: 8, alignment: 8) { buffer in
      let flag = UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(4))
      guard try source.read(into: flag) == 4, flag[0] != 0 else { return [] }
      while source.position + 8 <= offset {
        guard try source.read(into: buffer) == 8 else { return [] }
        let fields = HeaderBytes(
          bytes: UnsafeRawBufferPointer(buffer), bigEndian: header.bigEndian)
        let size = fields.int32(0)
        // Zero padding up to the voxels is common and harmless.
        if size == 0, fields.int32(4) == 0 { return [] }
        let rest = size - 8
        guard size >= 16, size % 16 == 0, rest <= offset - source.position else {
          return [
            Finding(
              .warning, "extension",
              "a header extension claims \(size) bytes, expected a positive "
                + "multiple of 16 that ends before the voxels", fix: "Extensions are passed over.")
          ]
        }
        guard try source.skip(rest) == rest else { return [] }
      }
      return []
    }
  }
}
