import Testing

@testable import Anatomy

@Suite struct QualityLimitsTests {
  private typealias Limits = QualityCheck.Limits

  @Test func edgesBelongToTheBetterSide() {
    let least = Limits.atLeast(0.4, failBelow: 0.25)
    #expect([0.4, 1, .infinity].allSatisfy { least.verdict($0) == .pass })
    #expect([0.25, 0.3999].allSatisfy { least.verdict($0) == .warn })
    #expect([0.2499, -.infinity, .nan].allSatisfy { least.verdict($0) == .fail })
    let most = Limits.atMost(-0.014, failAbove: 0)
    #expect([-0.014, -1, -.infinity].allSatisfy { most.verdict($0) == .pass })
    #expect([0, -0.0139].allSatisfy { most.verdict($0) == .warn })
    #expect([0.001, .infinity, .nan].allSatisfy { most.verdict($0) == .fail })
    let range = Limits(pass: 0.5...1.6, warn: 0.3...2.5)
    #expect([0.5, 1.6].allSatisfy { range.verdict($0) == .pass })
    #expect([0.3, 2.5].allSatisfy { range.verdict($0) == .warn })
    #expect([0.29, 2.51, .nan].allSatisfy { range.verdict($0) == .fail })
  }

  @Test func words() {
    #expect(Limits.atLeast(0.4, failBelow: 0.25).text == "at least 0.4")
    #expect(Limits.atMost(0.5, failAbove: 0.65).text == "at most 0.5")
    #expect(Limits.atMost(0.05, failAbove: 0.25).percent == "at most 5 %")
    #expect(Limits.atMost(0.12, failAbove: 0.35).percent == "at most 12 %")
    #expect(Limits(pass: 0.5...1.6, warn: 0.3...2.5).percent == "50 to 160 %")
    #expect(Limits.number(-0.014) == "-0.014" && Limits.number(0) == "0")
  }
}
