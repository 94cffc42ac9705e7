/// Scalar types of voxels, by their NIfTI codes.
package enum VoxelType: Int, Sendable, CaseIterable {
  case uint8 = 2
  case int16 = 4
  case int32 = 8
  case float32 = 16
  case float64 = 64
  case int8 = 256
  case uint16 = 512
  case uint32 = 768
  case int64 = 1024
  case uint64 = 1280

  /// Size of a voxel.
  package var bytes: Int {
    switch self {
    case .uint8, .int8: 1
    case .int16, .uint16: 2
    case .int32, .uint32, .float32: 4
    case .int64, .uint64, .float64: 8
    }
  }

  package var isFloatingPoint: Bool { self == .float32 || self == .float64 }

  package var name: String {
    switch self {
    case .uint8: "uint8"
    case .int8: "int8"
    case .int16: "int16"
    case .uint16: "uint16"
    case .int32: "int32"
    case .uint32: "uint32"
    case .int64: "int64"
    case .uint64: "uint64"
    case .float32: "float32"
    case .float64: "float64"
    }
  }

  /// What a datatype code means that is no single number per voxel; `nil` for codes of no meaning.
  static func unsupportedName(_ code: Int) -> String? {
    switch code {
    case 1: "binary (1 bit)"
    case 32: "complex64"
    case 128: "RGB24"
    case 1536: "float128"
    case 1792: "complex128"
    case 2048: "complex256"
    case 2304: "RGBA32"
    default: nil
    }
  }
}
