import Foundation

/// The JSON header of a safetensors file: every tensor's type, shape and place, and free text.
struct SafetensorsHeader {
  /// Type, shape and place of a tensor.
  struct Entry {
    let type: ElementType
    let shape: [Int]
    /// Bytes after the header.
    let range: Range<Int>
  }

  /// Types of elements that are read here.
  enum ElementType: String {
    case float32 = "F32"
    case float16 = "F16"
    case float64 = "F64"
    case int32 = "I32"
    case int64 = "I64"
    case uint8 = "U8"

    var size: Int {
      switch self {
      case .float32, .int32: 4
      case .float16: 2
      case .int64, .float64: 8
      case .uint8: 1
      }
    }
  }

  var metadata: [String: String] = [:]
  var entries: [String: Entry] = [:]

  /// Headers beyond this are refused, as the format's own library does.
  static let largest = 100_000_000

  init() {}

  /// Reads the JSON text of a header for a file with `payload` bytes after it.
  ///
  /// Throws `NetworkError.damagedFile` unless every byte of the payload belongs to exactly one
  /// tensor and every tensor's bytes fit its shape.
  init(json: Data, payload: Int, path: String) throws {
    func damaged(_ reason: String) -> NetworkError { .damagedFile(path: path, reason: reason) }
    guard let object = try? JSONSerialization.jsonObject(with: json) as? [String: Any] else {
      throw damaged("the header is not a JSON object")
    }
    for (name, value) in object {
      if name == "__metadata__" {
        guard let text = value as? [String: String] else {
          throw damaged("__metadata__ holds something other than text")
        }
        metadata = text
        continue
      }
      guard let fields = value as? [String: Any], let typeName = fields["dtype"] as? String,
        let shape = fields["shape"] as? [Int], let offsets = fields["data_offsets"] as? [Int],
        offsets.count == 2, shape.allSatisfy({ $0 >= 0 })
      else { throw damaged("tensor \(name) lacks dtype, shape or data_offsets") }
      guard let type = ElementType(rawValue: typeName) else {
        throw damaged("tensor \(name) has type \(typeName)")
      }
      guard 0 <= offsets[0], offsets[0] <= offsets[1], offsets[1] <= payload else {
        throw damaged("tensor \(name) ends at byte \(offsets[1]) of \(payload)")
      }
      var size = type.size
      for extent in shape {
        let (product, overflow) = size.multipliedReportingOverflow(by: extent)
        guard !overflow else { throw damaged("tensor \(name) is too large") }
        size = product
      }
      guard offsets[1] - offsets[0] == size else {
        throw damaged(
          "tensor \(name) has \(offsets[1] - offsets[0]) bytes, its shape needs \(size)")
      }
      entries[name] = Entry(type: type, shape: shape, range: offsets[0]..<offsets[1])
    }
    var end = 0
    for entry in entries.values.sorted(by: {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }) {
      guard entry.range.lowerBound == end else { throw damaged("tensors overlap or leave a gap") }
      end = entry.range.upperBound
    }
    guard end == payload else { throw damaged("\(payload - end) bytes belong to no tensor") }
  }

  /// The JSON text, padded with spaces so that the payload starts at a multiple of 8 bytes.
  func json() throws -> Data {
    var object: [String: Any] = [:]
    if !metadata.isEmpty { object["__metadata__"] = metadata }
    for (name, entry) in entries {
      object[name] = [
        "dtype": entry.type.rawValue, "shape": entry.shape,
        "data_offsets": [entry.range.lowerBound, entry.range.upperBound],
      ]
    }
    var text = try JSONSerialization.data(
      withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
    text.append(contentsOf: [UInt8](repeating: 0x20, count: (8 - text.count % 8) % 8))
    return text
  }
}
