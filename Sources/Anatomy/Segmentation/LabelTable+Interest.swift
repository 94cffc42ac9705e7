import Imaging

extension LabelTable {
  /// For each label whether it is a structure of interest: neither background nor, by its BIDS tissue, bone, soft tissue
  /// or another part that is there to frame the others. Where there are no others, all but background are.
  package var isOfInterest: [Bool] {
    let framed = labels.map { $0.index != 0 && ![0, 4, 5, 6].contains($0.mapping ?? 1) }
    return framed.contains(true) ? framed : labels.map { $0.index != 0 }
  }
}
