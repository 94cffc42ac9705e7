import Imaging

/// ITK's affine transform: y = M (x - c) + c + t, with M by rows and t in its parameters and the centre c
/// in its fixed ones. Both spaces are LPS+ mm.
struct ITKTransform {
  let matrix: Affine

  private init(
    type: String, parameters: [Double], fixed: [Double], bad: (String) -> AnatomyError
  ) throws {
    guard type.hasPrefix("AffineTransform") || type.hasPrefix("MatrixOffsetTransformBase"),
      type.hasSuffix("_3_3")
    else { throw bad("an ITK \(type.prefix(60))") }
    guard parameters.count == 12, fixed.count == 3 || fixed.isEmpty else {
      throw bad("an ITK transform of \(parameters.count) and \(fixed.count) parameters")
    }
    let linear = Affine(
      rows: (0..<3).map { Array(parameters[3 * $0..<3 * $0 + 3]) + [0] })
    let centre = fixed.isEmpty ? SIMD3<Double>.zero : SIMD3(fixed[0], fixed[1], fixed[2])
    let shift = SIMD3(parameters[9], parameters[10], parameters[11])
    matrix = Affine(
      columns: linear.columns, translation: shift + centre - linear.linear(centre))
  }

  /// From the text format: `#Insight Transform File V1.0`.
  init(text: String, bad: (String) -> AnatomyError) throws {
    var fields: [String: String] = [:]
    for line in text.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let key = String(line[..<colon])
      if key == "Transform", fields[key] != nil { throw bad("several ITK transforms") }
      fields[key] = line[line.index(after: colon)...].split(whereSeparator: \.isWhitespace)
        .joined(separator: " ")
    }
    guard let type = fields["Transform"] else { throw bad("no line 'Transform:'") }
    func numbers(_ key: String) throws -> [Double] {
      let words = (fields[key] ?? "").split(separator: " ")
      let values = words.compactMap { Double($0) }
      guard values.count == words.count else { throw bad("'\(key)' with words among its numbers") }
      return values
    }
    try self.init(
      type: type, parameters: try numbers("Parameters"), fixed: try numbers("FixedParameters"),
      bad: bad)
  }

  /// From MATLAB's level 4 format, as ANTs writes it (`0GenericAffine.mat`); nil for anything else.
  init?(matlab bytes: [UInt8], bad: (String) -> AnatomyError) throws {
    var variables: [(name: String, values: [Double])] = []
    var place = 0
    func word(_ number: Int) -> Int {
      let offset = place + 4 * number
      return bytes.withUnsafeBytes {
        Int(Int32(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
      }
    }
    while place + 20 <= bytes.count {
      // Type 0: little-endian doubles by columns, no imaginary part.
      let (type, rows, columns, imaginary, length) = (word(0), word(1), word(2), word(3), word(4))
      guard type == 0, imaginary == 0, (1...64).contains(rows), (1...64).contains(columns),
        (2...256).contains(length)
      else { return nil }
      let start = place + 20 + length
      guard start + 8 * rows * columns <= bytes.count else { return nil }
      let values = (0..<rows * columns).map { i in
        bytes.withUnsafeBytes {
          let bits = $0.loadUnaligned(fromByteOffset: start + 8 * i, as: UInt64.self)
          return Double(bitPattern: UInt64(littleEndian: bits))
        }
      }
      variables.append(
        (String(decoding: bytes[place + 20..<start - 1], as: UTF8.self), values))
      place = start + 8 * rows * columns
    }
    guard place == bytes.count, let first = variables.first, variables.count <= 2 else {
      return nil
    }
    try self.init(
      type: first.name, parameters: first.values,
      fixed: variables.count == 2 ? variables[1].values : [], bad: bad)
  }
}
