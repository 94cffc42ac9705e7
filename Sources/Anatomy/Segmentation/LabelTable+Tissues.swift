import Imaging

extension LabelTable {
  /// For each label whether it is a structure of interest: neither background nor, by its tissue, a part that is there
  /// to frame the others. Where there are no others, all but background are.
  package var isOfInterest: [Bool] {
    let framed = labels.map { $0.index != 0 && !($0.tissue?.isFrame ?? false) }
    return framed.contains(true) ? framed : labels.map { $0.index != 0 }
  }

  /// For each tissue group whether it holds flesh, which surrounds the structures of interest.
  var holdsFlesh: [Bool] {
    var holds = [Bool](repeating: false, count: groups.count)
    for (label, group) in zip(labels, groupOfLabel) where label.tissue == .softTissue {
      holds[group] = true
    }
    return holds
  }
}

extension BIDSTissue {
  /// Whether it surrounds the structures of interest.
  fileprivate var isFrame: Bool {
    switch self {
    case .background, .bone, .softTissue, .nonBrain: true
    default: false
    }
  }
}
