/// What each layer of a `ContextNetwork` has to make where only a part of the logits is wanted.
package struct ContextParts: Sendable {
  /// Of the posteriors.
  package let posteriors: RowSpans
  let first: RowSpans
  let down: RowSpans
  let coarse: RowSpans
  let sum: RowSpans
  let logits: RowSpans

  /// For these logits.
  package init(_ logits: RowSpans) {
    self.logits = logits
    sum = logits.widened(by: 1)
    coarse = sum.halved.widened(by: 1)
    down = coarse.widened(by: 1)
    first = sum.widened(by: 1).union(down.doubled(logits.extents).widened(by: 1))
    posteriors = first.widened(by: 1)
  }

  private init(
    posteriors: RowSpans, first: RowSpans, down: RowSpans, coarse: RowSpans, sum: RowSpans,
    logits: RowSpans
  ) {
    self.posteriors = posteriors
    (self.first, self.down, self.coarse) = (first, down, coarse)
    (self.sum, self.logits) = (sum, logits)
  }

  /// What is to be made for the logits of some planes by a network of `depth` planes, which begin `ContextShape.reach`
  /// before these and end as far behind them, or farther. `goesOn`: it has advanced there from the planes before, and
  /// what was made for these is not made again.
  package func window(_ planes: Range<Int>, depth: Int, goesOn: Bool) -> ContextParts {
    let reach = ContextShape.reach
    precondition(
      planes.lowerBound >= reach && planes.lowerBound % 2 == 0 && planes.count % 2 == 0
        && planes.count + 2 * reach <= depth, "planes \(planes) in a window of \(depth)")
    /// What is made `ahead` planes beyond those of the logits, of a layer that has one for `stride` of these.
    func part(_ spans: RowSpans, ahead: Int, stride: Int = 1) -> RowSpans {
      let lower = (planes.lowerBound - reach) / stride
      let from = goesOn ? planes.lowerBound / stride + ahead : lower
      return spans.window(
        from: lower, depth: depth / stride,
        planes: from..<planes.upperBound / stride + ahead)
    }
    func again(_ spans: RowSpans, beside: Int) -> RowSpans {
      spans.window(
        from: planes.lowerBound - reach, depth: depth,
        planes: planes.lowerBound - beside..<planes.upperBound + beside)
    }
    // A stride of 2 reads one plane more before its own two than behind them.
    return ContextParts(
      posteriors: part(posteriors, ahead: 7), first: part(first, ahead: 6),
      down: part(down, ahead: 3, stride: 2), coarse: part(coarse, ahead: 2, stride: 2),
      // Made again where windows meet: what adds to it reaches beyond what it was asked for.
      sum: again(sum, beside: 1), logits: again(logits, beside: 0))
  }
}
