import Foundation
import Imaging

extension LabelTable {
  /// For each label whether it is a structure of interest: neither background nor, in a table of a brain, a tissue that
  /// is there to frame it. In other tables such tissues are what is asked for, as a liver is soft tissue.
  package var isOfInterest: [Bool] {
    let hasBrain = labels.contains { $0.tissue?.isBrain ?? false }
    let asked = labels.map { label in
      label.index != 0 && label.tissue != .background
        && !(hasBrain && label.tissue?.surroundsBrains ?? false)
    }
    return asked.contains(true) ? asked : labels.map { $0.index != 0 }
  }

  /// For each tissue group whether it holds flesh that frames the structures of interest.
  var holdsFlesh: [Bool] {
    var holds = [Bool](repeating: false, count: groups.count)
    for ((label, isAsked), group) in zip(zip(labels, isOfInterest), groupOfLabel)
    where label.tissue == .softTissue && !isAsked {
      holds[group] = true
    }
    return holds
  }
}

extension Label {
  /// Whether its name, with hyphens, ends with one of these of FreeSurfer's, in lower case: left and right are told
  /// before.
  func isNamed(_ names: [String]) -> Bool {
    let own = name.lowercased().replacingOccurrences(of: "_", with: "-")
    return names.contains { own.hasSuffix($0) }
  }
}

extension BIDSTissue {
  /// Whether it is of a brain. Fluid and lesions are found elsewhere, too.
  fileprivate var isBrain: Bool {
    switch self {
    case .greyMatter, .whiteMatter, .corticalGreyMatter, .subcorticalGreyMatter, .brainStem,
      .cerebellum:
      true
    default: false
    }
  }

  /// Whether it surrounds brains.
  var surroundsBrains: Bool {
    switch self {
    case .bone, .softTissue, .nonBrain: true
    default: false
    }
  }
}
