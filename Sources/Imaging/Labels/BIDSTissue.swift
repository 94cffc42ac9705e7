/// The standard tissues of BIDS, by the numbers that label tables give them in the column `mapping`.
package enum BIDSTissue: Int, CaseIterable, Sendable {
  case background = 0
  /// Where cortical and subcortical are not told apart.
  case greyMatter = 1
  case whiteMatter = 2
  case cerebrospinalFluid = 3
  case bone = 4
  /// Skin, fat, muscle: flesh.
  case softTissue = 5
  /// What else is not of the brain.
  case nonBrain = 6
  case lesion = 7
  case corticalGreyMatter = 8
  /// Nuclei.
  case subcorticalGreyMatter = 9
  case brainStem = 10
  case cerebellum = 11
}

extension Label {
  /// The standard tissue it belongs to; nil where its table tells none.
  package var tissue: BIDSTissue? { mapping.flatMap { BIDSTissue(rawValue: $0) } }
}
