import CSPNG
import Foundation

/// PNG files, written by libspng.
package enum PNG {
  /// A picture as a PNG file's bytes: 8-bit RGB, with a text chunk `Software: segpipe`. Equal pictures
  /// give equal bytes.
  ///
  /// - Throws: `PNGError`.
  package static func encoded(_ image: RGBImage) throws -> [UInt8] {
    guard let context = spng_ctx_new(Int32(SPNG_CTX_ENCODER.rawValue)) else {
      throw PNGError(reason: "out of memory")
    }
    defer { spng_ctx_free(context) }
    try check(spng_set_option(context, SPNG_ENCODE_TO_BUFFER, 1))
    var header = spng_ihdr()
    header.width = UInt32(image.width)
    header.height = UInt32(image.height)
    header.bit_depth = 8
    header.color_type = UInt8(SPNG_COLOR_TYPE_TRUECOLOR.rawValue)
    try check(spng_set_ihdr(context, &header))
    try setSoftware(context)
    try check(
      image.pixels.withUnsafeBytes { pixels in
        spng_encode_image(
          context, pixels.baseAddress, pixels.count, Int32(SPNG_FMT_PNG.rawValue),
          Int32(SPNG_ENCODE_FINALIZE.rawValue))
      })
    var count = 0
    var status: Int32 = 0
    let buffer = spng_get_png_buffer(context, &count, &status)
    defer { free(buffer) }
    try check(status)
    return Array(UnsafeRawBufferPointer(start: buffer, count: count))
  }

  private static func setSoftware(_ context: OpaquePointer) throws {
    var software = spng_text()
    withUnsafeMutableBytes(of: &software.keyword) { $0.copyBytes(from: "Software".utf8) }
    software.type = Int32(SPNG_TEXT.rawValue)
    // libspng copies the text while this call lasts, up to a zero whatever the length says.
    var words = Array("segpipe".utf8CString)
    try check(
      words.withUnsafeMutableBufferPointer { words in
        software.text = words.baseAddress
        software.length = words.count - 1
        return spng_set_text(context, &software, 1)
      })
  }

  private static func check(_ status: Int32) throws {
    if status != 0 { throw PNGError(reason: String(cString: spng_strerror(status))) }
  }
}

/// Why a picture could not be encoded, in libspng's words.
package struct PNGError: Error, Equatable {
  package let reason: String
}

extension PNGError: Diagnosable {
  package var diagnosis: Diagnosis {
    Diagnosis("a picture could not be encoded: \(reason)", status: .internalError)
  }
}
