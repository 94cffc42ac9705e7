import Testing

@testable import Anatomy

/// Figures are those of scans drawn from label maps, rounded.
@Suite struct ShrinkageTests {
  @Test func fluidThatTheWarpExplainsIsBelieved() {
    let wide = Shrinkage(cost: 8500, left: 2640, smallest: 0.48, largestOtherwise: 1.26)
    #expect(wide.isBelievable)
    let gained = Shrinkage(cost: 1380, left: -640, smallest: 0.95, largestOtherwise: 1.3)
    #expect(gained.isBelievable)
  }

  @Test func aCostThatStaysIsNot() {
    let nuclei = Shrinkage(cost: 2420, left: 2030, smallest: 0.61, largestOtherwise: 1.03)
    #expect(!nuclei.isBelievable)
  }

  @Test func moreMayBeLeftWhereAStructureIsTooLargeOtherwise() {
    #expect(Shrinkage(cost: 4130, left: 2580, smallest: 0.7, largestOtherwise: 1.6).isBelievable)
    #expect(!Shrinkage(cost: 4130, left: 2580, smallest: 0.7, largestOtherwise: 1.1).isBelievable)
    #expect(!Shrinkage(cost: 3990, left: 3250, smallest: 0.5, largestOtherwise: 1.23).isBelievable)
  }

  /// Wide ventricles in place of the whole caudate nucleus cost little, and leave none of it.
  @Test func nothingVanishesThatHasAPlausibleSizeOtherwise() {
    #expect(!Shrinkage(cost: 540, left: 146, smallest: 0.39, largestOtherwise: 0.71).isBelievable)
    #expect(!Shrinkage(cost: 25, left: 140, smallest: 0.42, largestOtherwise: 0.63).isBelievable)
    #expect(Shrinkage(cost: 540, left: 146, smallest: 0.39, largestOtherwise: 1.5).isBelievable)
  }

  @Test func smallCostsMatterOnlyWhereSomethingVanishes() {
    #expect(Shrinkage.isCertain(cost: 60, smallest: 0.9, largestAtStart: 1))
    #expect(Shrinkage.isCertain(cost: -800, smallest: 0.9, largestAtStart: 1))
    #expect(!Shrinkage.isCertain(cost: 60, smallest: 0.4, largestAtStart: 1))
    #expect(!Shrinkage.isCertain(cost: 1700, smallest: 0.94, largestAtStart: 1.3))
    #expect(Shrinkage(cost: 60, left: 90, smallest: 0.9, largestOtherwise: 1).isBelievable)
    #expect(Shrinkage(cost: 680, left: 2070, smallest: 0.68, largestOtherwise: 1.15).isBelievable)
  }

  @Test func noNucleusIsTwiceAsLargeAsExpected() {
    #expect(Shrinkage.isCertain(cost: 2600, smallest: 0.78, largestAtStart: 1.98))
    #expect(!Shrinkage.isCertain(cost: 2600, smallest: 0.45, largestAtStart: 1.98))
  }
}
