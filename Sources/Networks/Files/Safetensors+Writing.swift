import CKernels
import Files
import Foundation

extension Safetensors {
  /// An array to be written.
  package struct Item {
    let name: String
    let shape: [Int]
    let type: SafetensorsHeader.ElementType
    private let content: Content

    private enum Content {
      case tensor(Tensor)
      case bytes([UInt8])
    }

    /// Single precision, as F32; read from the tensor when the file is written.
    package static func floats(_ name: String, _ shape: [Int], _ values: Tensor) -> Item {
      Item(name: name, shape: shape, type: .float32, content: .tensor(values))
    }

    /// Single precision rounded to F16.
    package static func halves(_ name: String, _ shape: [Int], _ values: Tensor) -> Item {
      var half = [UInt16](repeating: 0, count: values.count)
      segpipe_to_half(values.pointer, &half, half.count)
      let bytes = half.withUnsafeBytes { Array($0) }
      return Item(name: name, shape: shape, type: .float16, content: .bytes(bytes))
    }

    /// Single precision, as F32.
    package static func floats(_ name: String, _ values: [Float]) -> Item {
      Item(
        name: name, shape: [values.count], type: .float32,
        content: .bytes(values.withUnsafeBytes { Array($0) }))
    }

    /// Double precision, as F64.
    package static func doubles(_ name: String, _ shape: [Int], _ values: [Double]) -> Item {
      Item(
        name: name, shape: shape, type: .float64,
        content: .bytes(values.withUnsafeBytes { Array($0) }))
    }

    /// Integers as I64.
    package static func integers(_ name: String, _ shape: [Int], _ values: [Int]) -> Item {
      let bytes = values.map(Int64.init).withUnsafeBytes { Array($0) }
      return Item(name: name, shape: shape, type: .int64, content: .bytes(bytes))
    }

    /// Calls `body` with the bytes as they are to stand in the file.
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
      switch content {
      case .tensor(let tensor): try body(UnsafeRawBufferPointer(tensor.elements))
      case .bytes(let bytes): try bytes.withUnsafeBytes(body)
      }
    }
  }

  /// Every parameter of `values`, under its name with `prefix` before it.
  package static func items(_ values: ParameterValues, prefix: String = "", half: Bool = false)
    -> [Item]
  {
    values.list.parameters.map { parameter in
      let (name, tensor) = (prefix + parameter.name, values[parameter])
      return half
        ? .halves(name, parameter.shape, tensor) : .floats(name, parameter.shape, tensor)
    }
  }

  /// Writes a file atomically, with its digest, which is returned in hexadecimal. The items' names
  /// must differ; `metadata` is free text without the key `sha256`. Throws
  /// `NetworkError.inputOutput`.
  @discardableResult
  package static func write(
    _ items: [Item], metadata: [String: String] = [:], to path: String
  ) throws -> String {
    var header = SafetensorsHeader()
    var offset = 0
    // Wide elements first: every tensor then starts at a multiple of its element's size.
    let ordered = items.sorted { ($1.type.size, $0.name) < ($0.type.size, $1.name) }
    for item in ordered {
      let end = offset + item.withBytes(\.count)
      header.entries[item.name] = .init(type: item.type, shape: item.shape, range: offset..<end)
      offset = end
    }
    header.metadata = metadata
    header.metadata[digestKey] = String(repeating: "0", count: 64)
    var hash = SHA256()
    try lengthAndText(header).withUnsafeBytes { hash.update($0) }
    for item in ordered { item.withBytes { hash.update($0) } }
    let digest = hash.hexadecimal
    header.metadata[digestKey] = digest
    let head = try lengthAndText(header)
    do {
      let file = try AtomicFile(path)
      try head.withUnsafeBytes(file.write)
      for item in ordered { try item.withBytes(file.write) }
      try file.commit()
    } catch let error as FileError {
      throw NetworkError(error, path: path)
    }
    return digest
  }

  private static func lengthAndText(_ header: SafetensorsHeader) throws -> Data {
    let text = try header.json()
    var data = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Data($0) }
    data.append(text)
    return data
  }
}
