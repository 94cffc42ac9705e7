import CSPNG
import Foundation
import Imaging
import Reports
import Testing

@Suite struct PNGTests {
  /// The bytes read back by libspng.
  private func decoded(_ bytes: [UInt8]) throws -> (width: Int, height: Int, pixels: [UInt8]) {
    let context = try #require(spng_ctx_new(0))
    defer { spng_ctx_free(context) }
    var header = spng_ihdr()
    var size = 0
    var pixels: [UInt8] = []
    bytes.withUnsafeBytes { buffer in
      #expect(spng_set_png_buffer(context, buffer.baseAddress, buffer.count) == 0)
      #expect(spng_get_ihdr(context, &header) == 0)
      #expect(spng_decoded_image_size(context, Int32(SPNG_FMT_RGB8.rawValue), &size) == 0)
      pixels = [UInt8](repeating: 0, count: size)
      #expect(spng_decode_image(context, &pixels, size, Int32(SPNG_FMT_RGB8.rawValue), 0) == 0)
    }
    return (Int(header.width), Int(header.height), pixels)
  }

  @Test func pixelsSurvive() throws {
    var image = RGBImage(width: 7, height: 5)
    for y in 0..<5 {
      for x in 0..<7 { image[x, y] = SIMD3(UInt8(x * 30), UInt8(y * 50), UInt8(x * y)) }
    }
    let back = try decoded(try PNG.encoded(image))
    #expect(back.width == 7)
    #expect(back.height == 5)
    #expect(back.pixels == image.pixels)
  }

  @Test func filesNameTheirMakerAndAreReproducible() throws {
    let image = RGBImage(width: 3, height: 3)
    let bytes = try PNG.encoded(image)
    #expect(Data(bytes).range(of: Data("tEXtSoftware\0segpipe".utf8)) != nil)
    #expect(try PNG.encoded(image) == bytes)
    // After the signature and the header's 25 bytes: a text of 16 bytes and nothing that follows it in memory.
    #expect(Array(bytes[33..<41]) == [0, 0, 0, 16] + Array("tEXt".utf8))
    #expect(Array(bytes[41..<57]) == Array("Software\0segpipe".utf8))
  }
}

@Suite struct QualityPictureTests {
  private let table = try? LabelTable(labels: [
    Label(index: 1, name: "a", color: LabelColor(red: 255, green: 0, blue: 0), group: "a"),
    Label(index: 2, name: "b", color: LabelColor(red: 0, green: 255, blue: 0), group: "b"),
  ])

  /// A scan whose right half is label 1, front half bright; on a grid with the given axes.
  private func head(_ affine: Affine, _ extents: SIMD3<Int>) -> (Volume<Float>, Volume<Int32>) {
    let grid = Grid(extents: extents, affine: affine)
    var scan = Volume<Float>(grid: grid, repeating: 1)
    var labels = Volume<Int32>(grid: grid, repeating: 0)
    for z in 0..<extents.z {
      for y in 0..<extents.y {
        for x in 0..<extents.x {
          let point = affine(SIMD3(Double(x), Double(y), Double(z)))
          labels[x, y, z] = point.x > 0 ? 1 : 2
          scan[x, y, z] = Float(100 + point.y + 0.3 * point.z)
        }
      }
    }
    return (scan, labels)
  }

  @Test func rightIsRightWhateverTheVoxelOrder() throws {
    let table = try #require(table)
    let (scan, labels) = head(
      Affine(rows: [[1, 0, 0, -19.5], [0, 1, 0, -24.5], [0, 0, 1, -14.5]]), SIMD3(40, 50, 30))
    let plain = QualityPicture.render(scan: scan, labels: labels, table: table)
    // The overlaid row of axial slices: red (label 1) on the right of each, green on the left.
    let cell = plain.width / QualityPicture.slices
    let row = plain.height * 5 / 12
    #expect(plain[cell * 3 / 4, row].x > plain[cell * 3 / 4, row].y)
    #expect(plain[cell / 4, row].y > plain[cell / 4, row].x)

    let (turned, turnedLabels) = head(
      Affine(rows: [[-1, 0, 0, 19.5], [0, 0, 1, -24.5], [0, -1, 0, 14.5]]), SIMD3(40, 30, 50))
    let other = QualityPicture.render(scan: turned, labels: turnedLabels, table: table)
    #expect(other.width == plain.width)
    #expect(other.height == plain.height)
    #expect(other[cell * 3 / 4, row].x > other[cell * 3 / 4, row].y)
    #expect(other[cell / 4, row].y > other[cell / 4, row].x)
  }

  @Test func voxelsKeepTheirProportions() throws {
    let table = try #require(table)
    let cube = head(
      Affine(rows: [[1, 0, 0, -20], [0, 1, 0, -20], [0, 0, 1, -20]]), SIMD3(40, 40, 40))
    let slab = head(
      Affine(rows: [[1, 0, 0, -20], [0, 1, 0, -20], [0, 0, 5, -20]]), SIMD3(40, 40, 8))
    let first = QualityPicture.render(scan: cube.0, labels: cube.1, table: table)
    let second = QualityPicture.render(scan: slab.0, labels: slab.1, table: table)
    #expect(first.width == second.width)
    #expect(first.height == second.height)
  }

  /// Grey values of a CT stand 400 HU apart from black to white, whatever else it holds.
  @Test func aCTIsDrawnInAWindowOfSoftTissue() throws {
    let table = try #require(table)
    let affine = Affine(rows: [[1, 0, 0, -19.5], [0, 1, 0, -19.5], [0, 0, 1, -19.5]])
    var (scan, labels) = head(affine, SIMD3(40, 40, 40))
    for z in 0..<40 {
      for y in 0..<40 {
        for x in 0..<40 {
          let isBody = y >= 10
          scan[x, y, z] = !isBody ? -1000 : y >= 35 ? 1500 : x < 20 ? 0 : 100
          if !isBody { labels[x, y, z] = 0 }
        }
      }
    }
    let picture = QualityPicture.render(scan: scan, labels: labels, table: table)
    // The plain row of axial slices.
    let (cell, row) = (picture.width / QualityPicture.slices, picture.height / 12)
    let (left, right) = (picture[cell / 4, row].x, picture[cell * 3 / 4, row].x)
    #expect(abs(Int(left) - 255 * 150 / 400) <= 1 && abs(Int(right) - 255 * 250 / 400) <= 1)
  }

  @Test func oddVolumesAreDrawn() throws {
    let table = try #require(table)
    let grid = Grid(extents: SIMD3(1, 1, 1), affine: .identity)
    _ = QualityPicture.render(
      scan: Volume(grid: grid, repeating: .nan), labels: Volume(grid: grid, repeating: 0),
      table: table)
    let oblique = Affine(rows: [[0.7, 0.7, 0, 0], [-0.7, 0.7, 0, 0], [0, 0, 0.001, 0]])
    let thin = Grid(extents: SIMD3(9, 9, 9), affine: oblique)
    _ = QualityPicture.render(
      scan: Volume(grid: thin, repeating: 4), labels: Volume(grid: thin, repeating: 77),
      table: table)
  }
}
