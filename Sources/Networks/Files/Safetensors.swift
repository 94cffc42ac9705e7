import CKernels
import Files
import Foundation

/// A safetensors file: named arrays behind a JSON header.
///
/// The format has no checksum, so files written here carry one: `__metadata__.sha256` is the digest
/// of the whole file with that digest's 64 characters set to 0. A file from elsewhere may have
/// none; one that has it is checked.
package struct Safetensors {
  private let path: String
  private let header: SafetensorsHeader
  private let bytes: Data
  private let payloadStart: Int

  /// Opens a file. Throws `FileError` or, if anything about it is wrong, `NetworkError.damagedFile`.
  package init(contentsOf path: String) throws {
    func damaged(_ reason: String) -> NetworkError { .damagedFile(path: path, reason: reason) }
    let file = try InputBytes(path)
    guard file.count >= 8 else {
      throw damaged("\(file.count) bytes are too few for a safetensors file")
    }
    // Before the rest is read: any other file may be of any size.
    var bytes = try file.read(8)
    let length = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(min(file.count - 8, SafetensorsHeader.largest)) else {
      throw damaged("a header of \(length) bytes in a file of \(file.count)")
    }
    bytes.append(try file.read(file.count - 8))
    self.path = path
    self.bytes = bytes
    self.payloadStart = 8 + Int(length)
    self.header = try SafetensorsHeader(
      json: bytes[8..<payloadStart], payload: bytes.count - payloadStart, path: path)
    if let stated = header.metadata[Self.digestKey] {
      guard Self.digest(bytes, headerEnd: payloadStart, stated: stated) == stated else {
        throw damaged("its content does not match its digest")
      }
    }
  }

  static let digestKey = "sha256"

  /// Free text, without the digest.
  package var metadata: [String: String] {
    header.metadata.filter { $0.key != Self.digestKey }
  }

  /// The digest that the file carries, in hexadecimal.
  package var digest: String? { header.metadata[Self.digestKey] }

  /// Names of all tensors, sorted.
  package var names: [String] { header.entries.keys.sorted() }

  /// Shape of a tensor, or nil if there is none of that name.
  package func shape(of name: String) -> [Int]? { header.entries[name]?.shape }

  /// A tensor of type F32 or F16 as single precision. Throws `NetworkError`.
  package func floats(_ name: String) throws -> [Float] {
    let entry = try entry(name)
    switch entry.type {
    case .float32: return elements(entry)
    case .float16:
      let half: [UInt16] = elements(entry)
      return [Float](unsafeUninitializedCapacity: half.count) { values, count in
        if let base = values.baseAddress { segpipe_from_half(half, base, half.count) }
        count = half.count
      }
    case .float64, .int32, .int64, .uint8:
      throw NetworkError.damagedFile(
        path: path, reason: "tensor \(name) has type \(entry.type.rawValue), expected F32 or F16")
    }
  }

  /// A tensor of type F64. Throws `NetworkError`.
  package func doubles(_ name: String) throws -> [Double] {
    let entry = try entry(name)
    guard entry.type == .float64 else {
      throw NetworkError.damagedFile(
        path: path, reason: "tensor \(name) has type \(entry.type.rawValue), expected F64")
    }
    return elements(entry)
  }

  /// A tensor of type I32, I64 or U8. Throws `NetworkError`.
  package func integers(_ name: String) throws -> [Int] {
    let entry = try entry(name)
    switch entry.type {
    case .int32: return (elements(entry) as [Int32]).map(Int.init)
    case .int64: return (elements(entry) as [Int64]).map(Int.init)
    case .uint8: return (elements(entry) as [UInt8]).map(Int.init)
    case .float32, .float16, .float64:
      throw NetworkError.damagedFile(
        path: path, reason: "tensor \(name) has type \(entry.type.rawValue), expected integers")
    }
  }

  /// Sets parameters from tensors of their names. Throws `NetworkError` before anything is changed
  /// if one is missing or has another shape.
  package func load(into values: ParameterValues, prefix: String = "") throws {
    try check(values.list, prefix: prefix)
    for parameter in values.list.parameters {
      values[parameter].assign(try floats(prefix + parameter.name))
    }
  }

  /// Throws `NetworkError` unless the file has every parameter of `list`, in its shape.
  package func check(_ list: ParameterList, prefix: String = "") throws {
    for parameter in list.parameters {
      let found = try entry(prefix + parameter.name).shape
      guard found == parameter.shape else {
        throw NetworkError.shapeMismatch(
          path: path, name: prefix + parameter.name, found: found, expected: parameter.shape)
      }
    }
  }

  private func entry(_ name: String) throws -> SafetensorsHeader.Entry {
    guard let entry = header.entries[name] else {
      throw NetworkError.missingTensor(path: path, name: name)
    }
    return entry
  }

  private func elements<Element: BitwiseCopyable>(_ entry: SafetensorsHeader.Entry) -> [Element] {
    let range = payloadStart + entry.range.lowerBound..<payloadStart + entry.range.upperBound
    let count = range.count / MemoryLayout<Element>.stride
    return [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
      _ = bytes.copyBytes(to: UnsafeMutableRawBufferPointer(buffer), from: range)
      initialized = count
    }
  }

  /// Digest of a file whose header states the digest `stated`.
  private static func digest(_ bytes: Data, headerEnd: Int, stated: String) -> String {
    var head = bytes.prefix(headerEnd)
    if let place = head.range(of: Data("\"\(digestKey)\":\"\(stated)\"".utf8)) {
      let digits = place.upperBound - 1 - stated.utf8.count..<place.upperBound - 1
      head.replaceSubrange(digits, with: Data(repeating: 0x30, count: digits.count))
    }
    var hash = SHA256()
    head.withUnsafeBytes { hash.update($0) }
    bytes.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0[headerEnd...])) }
    return hash.hexadecimal
  }
}
