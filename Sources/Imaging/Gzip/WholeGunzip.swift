import CDeflate

/// Undoes gzip in memory with libdeflate, about twice as fast as a stream.
enum WholeGunzip {
  /// Decodes members until `output` is full and nothing is left.
  ///
  /// Returns `false` for everything that is not exactly right, be it damage, garbage behind the
  /// last member, or another length than the output's: the caller then decodes as a stream, which
  /// tells precisely what is wrong and at which byte.
  static func decode(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) -> Bool {
    guard let decompressor = libdeflate_alloc_decompressor() else { return false }
    defer { libdeflate_free_decompressor(decompressor) }
    var used = 0
    var filled = 0
    while used < input.count {
      let source = UnsafeRawBufferPointer(rebasing: input[used...])
      let room = UnsafeMutableRawBufferPointer(rebasing: output[filled...])
      var taken = 0
      var given = 0
      let result = libdeflate_gzip_decompress_ex(
        decompressor, source.baseAddress, source.count, room.baseAddress, room.count, &taken,
        &given)
      guard result == LIBDEFLATE_SUCCESS else { return false }
      used += taken
      filled += given
    }
    return filled == output.count
  }
}
