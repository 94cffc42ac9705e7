extension QualityCheck {
  /// The values of a check that pass, and those that are no worse than doubtful.
  struct Limits {
    let pass: ClosedRange<Double>
    let warn: ClosedRange<Double>

    static func atLeast(_ pass: Double, failBelow fail: Double) -> Limits {
      Limits(pass: pass...Double.infinity, warn: fail...Double.infinity)
    }

    static func atMost(_ pass: Double, failAbove fail: Double) -> Limits {
      Limits(pass: -Double.infinity...pass, warn: -Double.infinity...fail)
    }

    /// Not a number fails.
    func verdict(_ value: Double) -> Verdict {
      pass.contains(value) ? .pass : warn.contains(value) ? .warn : .fail
    }

    /// What passes, such as `at least 0.4`.
    var text: String { text { Self.number($0) } }

    /// What passes of a share, such as `at most 5 %`.
    var percent: String { text { Self.number(100 * $0) } + " %" }

    private func text(_ number: (Double) -> String) -> String {
      if pass.upperBound == .infinity { return "at least \(number(pass.lowerBound))" }
      if pass.lowerBound == -.infinity { return "at most \(number(pass.upperBound))" }
      return "\(number(pass.lowerBound)) to \(number(pass.upperBound))"
    }

    /// To three decimals, and none where it is whole.
    static func number(_ value: Double) -> String {
      let rounded = (value * 1000).rounded() / 1000
      return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
    }
  }
}
