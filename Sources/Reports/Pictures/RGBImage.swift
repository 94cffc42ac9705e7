/// A picture of 8 bits a channel, rows from the top, each from the left.
package struct RGBImage: Equatable, Sendable {
  package let width: Int
  package let height: Int
  /// `width * height * 3` values: red, green, blue of each pixel.
  package private(set) var pixels: [UInt8]

  /// Black. Each side must be at least 1.
  package init(width: Int, height: Int) {
    precondition(width > 0 && height > 0, "a picture of \(width) by \(height) pixels")
    self.width = width
    self.height = height
    pixels = [UInt8](repeating: 0, count: width * height * 3)
  }

  /// A pixel's red, green and blue. Setting one outside the picture changes nothing.
  package subscript(x: Int, y: Int) -> SIMD3<UInt8> {
    get {
      let place = (y * width + x) * 3
      return SIMD3(pixels[place], pixels[place + 1], pixels[place + 2])
    }
    set {
      guard x >= 0, y >= 0, x < width, y < height else { return }
      let place = (y * width + x) * 3
      pixels[place] = newValue.x
      pixels[place + 1] = newValue.y
      pixels[place + 2] = newValue.z
    }
  }
}
