import Testing

@testable import Anatomy

@Suite struct GroupHistogramTests {
  /// A group with 10 at zero, and 10, 20, 30 and 40 in rows 100 to 103; another with as much in row 200.
  private var histogram: GroupHistogram {
    var result = GroupHistogram(lanes: 16)
    result[0, 1] = 10
    for i in 0..<4 { result[100 + i, 1] = Double(10 * (i + 1)) }
    result[200, 3] = 100
    return result
  }

  @Test func sumsAndSharesLeaveZeroOut() {
    #expect(histogram.sum(of: 1) == 100)
    #expect(histogram.sum(of: 1, in: 0...101) == 40)
    #expect(histogram.share(of: 1, in: 102...103) == 0.7)
    #expect(histogram.share(of: 2, in: 102...103) == 0)
  }

  @Test func quantilesAreThoseOfGroupsTogether() {
    #expect(histogram.quantile(0.05, of: [1]) == 100)
    #expect(histogram.quantile(0.3, of: [1]) == 101)
    #expect(histogram.quantile(0.31, of: [1]) == 102)
    #expect(histogram.quantile(1, of: [1]) == 103)
    #expect(histogram.quantile(0.5, of: [1, 3]) == 103)
    #expect(histogram.quantile(0.51, of: [1, 3]) == 200)
    #expect(histogram.quantile(0.5, of: [2]) == nil)
  }

  @Test func partsAreAdded() {
    var sum = histogram
    sum.add(histogram.counts.map { Float($0) })
    #expect(sum.sum(of: 1) == 200)
    #expect(sum[200, 3] == 200)
  }
}
