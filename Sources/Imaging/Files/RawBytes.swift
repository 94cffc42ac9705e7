import Glibc

/// Memory that is not zeroed first and is given back with the last reference.
///
/// For decoded voxels: an array would be filled once with zeros and then again with the data.
final class RawBytes: @unchecked Sendable {
  private(set) var base: UnsafeMutableRawPointer
  private(set) var count: Int

  /// Throws: `ImagingError.outOfMemory`.
  init(count: Int) throws {
    guard let memory = malloc(max(count, 1)) else { throw ImagingError.outOfMemory(bytes: count) }
    base = memory
    self.count = count
  }

  deinit { free(base) }

  /// Throws `ImagingError.outOfMemory` when so many bytes are not to be had: asked before an array
  /// is made, which would end the program instead.
  static func checkAvailable(_ count: Int) throws { _ = try RawBytes(count: count) }

  /// Keeps the first bytes and changes the size. Throws: `ImagingError.outOfMemory`.
  func resize(to newCount: Int) throws {
    guard let memory = realloc(base, max(newCount, 1)) else {
      throw ImagingError.outOfMemory(bytes: newCount)
    }
    base = memory
    count = newCount
  }

  /// All bytes. Valid until the next `resize`.
  var buffer: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: base, count: count)
  }
}
