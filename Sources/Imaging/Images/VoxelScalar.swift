/// A type that voxels are stored as.
package protocol VoxelScalar: BitwiseCopyable, Comparable, Sendable {
  static var voxelType: VoxelType { get }
  var asFloat: Float { get }
  var asDouble: Double { get }
}

extension VoxelScalar where Self: BinaryInteger {
  package var asFloat: Float { Float(self) }
  package var asDouble: Double { Double(self) }
}

extension UInt8: VoxelScalar { package static var voxelType: VoxelType { .uint8 } }
extension Int8: VoxelScalar { package static var voxelType: VoxelType { .int8 } }
extension UInt16: VoxelScalar { package static var voxelType: VoxelType { .uint16 } }
extension Int16: VoxelScalar { package static var voxelType: VoxelType { .int16 } }
extension UInt32: VoxelScalar { package static var voxelType: VoxelType { .uint32 } }
extension Int32: VoxelScalar { package static var voxelType: VoxelType { .int32 } }
extension UInt64: VoxelScalar { package static var voxelType: VoxelType { .uint64 } }
extension Int64: VoxelScalar { package static var voxelType: VoxelType { .int64 } }

extension Float: VoxelScalar {
  package static var voxelType: VoxelType { .float32 }
  package var asFloat: Float { self }
  package var asDouble: Double { Double(self) }
}

extension Double: VoxelScalar {
  package static var voxelType: VoxelType { .float64 }
  package var asFloat: Float { Float(self) }
  package var asDouble: Double { self }
}
