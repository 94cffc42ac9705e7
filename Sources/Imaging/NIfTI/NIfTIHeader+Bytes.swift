extension NIfTIHeader {
  /// The header as it is written: little-endian, single file, and four bytes that announce no
  /// extensions.
  ///
  /// NIfTI-1 (352 bytes), or NIfTI-2 (544 bytes) when `version` says so.
  package func serialised() -> [UInt8] {
    version == .nifti2 ? secondBytes() : firstBytes()
  }

  private func firstBytes() -> [UInt8] {
    var out = HeaderBuilder(count: 352)
    out.put(Int32(348), at: 0)
    out.put(UInt8(ascii: "r"), at: 38)
    for i in 0..<8 {
      out.put(Int16(truncatingIfNeeded: dim[i]), at: 40 + 2 * i)
      out.put(Float(pixdim[i]), at: 76 + 4 * i)
    }
    out.put(Int16(truncatingIfNeeded: intentCode), at: 68)
    out.put(Int16(truncatingIfNeeded: datatype), at: 70)
    out.put(Int16(truncatingIfNeeded: bitpix), at: 72)
    out.put(Float(352), at: 108)
    out.put(Float(slope), at: 112)
    out.put(Float(intercept), at: 116)
    out.put(UInt8(truncatingIfNeeded: xyztUnits), at: 123)
    out.put(Float(calMax), at: 124)
    out.put(Float(calMin), at: 128)
    out.put(descrip, at: 148, size: 80)
    out.put(Int16(truncatingIfNeeded: qformCode), at: 252)
    out.put(Int16(truncatingIfNeeded: sformCode), at: 254)
    for i in 0..<3 {
      out.put(Float(quaternion[i]), at: 256 + 4 * i)
      out.put(Float(qoffset[i]), at: 268 + 4 * i)
      for j in 0..<4 { out.put(Float(srow[i][j]), at: 280 + 16 * i + 4 * j) }
    }
    out.put(intentName, at: 328, size: 16)
    out.put("n+1", at: 344, size: 4)
    return out.bytes
  }

  private func secondBytes() -> [UInt8] {
    var out = HeaderBuilder(count: 544)
    out.put(Int32(540), at: 0)
    out.put("n+2\0\r\n\u{1a}\n", at: 4, size: 8)
    out.put(Int16(truncatingIfNeeded: datatype), at: 12)
    out.put(Int16(truncatingIfNeeded: bitpix), at: 14)
    for i in 0..<8 {
      out.put(Int64(dim[i]), at: 16 + 8 * i)
      out.put(pixdim[i], at: 104 + 8 * i)
    }
    out.put(Int64(544), at: 168)
    out.put(slope, at: 176)
    out.put(intercept, at: 184)
    out.put(calMax, at: 192)
    out.put(calMin, at: 200)
    out.put(descrip, at: 240, size: 80)
    out.put(Int32(truncatingIfNeeded: qformCode), at: 344)
    out.put(Int32(truncatingIfNeeded: sformCode), at: 348)
    for i in 0..<3 {
      out.put(quaternion[i], at: 352 + 8 * i)
      out.put(qoffset[i], at: 376 + 8 * i)
      for j in 0..<4 { out.put(srow[i][j], at: 400 + 32 * i + 8 * j) }
    }
    out.put(Int32(truncatingIfNeeded: xyztUnits), at: 500)
    out.put(Int32(truncatingIfNeeded: intentCode), at: 504)
    out.put(intentName, at: 508, size: 16)
    return out.bytes
  }
}
