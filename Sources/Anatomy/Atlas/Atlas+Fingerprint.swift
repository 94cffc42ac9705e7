extension Atlas {
  /// A hash (FNV-1a, 64 bits) of the grid, the label values and every probability. No cryptographic strength.
  static func fingerprint(of prior: LocationPrior) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    func add(_ value: UInt64) { hash = (hash ^ value) &* 0x100_0000_01b3 }
    let e = prior.grid.extents
    for extent in [e.x, e.y, e.z] { add(UInt64(extent)) }
    for number in prior.grid.affine.rows.joined() { add(number.bitPattern) }
    for label in prior.table.labels { add(UInt64(UInt32(bitPattern: label.index))) }
    for number in prior.outside { add(UInt64(number.bitPattern)) }
    for start in prior.starts { add(UInt64(start)) }
    for entry in prior.entries { add(UInt64(entry)) }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
