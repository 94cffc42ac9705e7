import ArgumentParser
import Synchronization

/// How progress is shown.
enum ProgressStyle: String, CaseIterable, ExpressibleByArgument, Sendable {
  /// Not at all.
  case none
  /// A line for every tenth done, or for every minute.
  case plain
  /// A bar with the time left, on a terminal.
  case bar
  /// A line of JSON where `plain` has one of words.
  case json
}

/// How far a task has come, and how long it may still take. May be updated from any thread.
package final class Progress: Sendable {
  private struct State {
    var fraction = 0.0
    var shownTenth = 0
    var shownAt: ContinuousClock.Instant
    var done = false
  }

  private let task: String
  private let style: ProgressStyle
  private let console: Console
  private let start: ContinuousClock.Instant
  private let state: Mutex<State>

  init(_ task: String, style: ProgressStyle, console: Console) {
    self.task = task
    self.style = style
    self.console = console
    start = ContinuousClock.now
    state = Mutex(State(shownAt: start))
  }

  /// Sets how much is done, 0...1. Never goes back: a smaller number changes nothing.
  func update(_ fraction: Double, now: ContinuousClock.Instant = .now) {
    let shown: Double? = state.withLock { state in
      guard !state.done, fraction > state.fraction else { return nil }
      state.fraction = min(fraction, 1)
      let tenth = Int((state.fraction * 10).rounded(.down))
      let waited = now - state.shownAt
      let due =
        switch style {
        case .none: false
        case .bar: waited >= .milliseconds(100)
        case .plain, .json:
          // What is over in a moment needs no words.
          now - start >= .seconds(2) && (tenth > state.shownTenth || waited >= .seconds(60))
        }
      guard due else { return nil }
      state.shownTenth = tenth
      state.shownAt = now
      return state.fraction
    }
    if let shown { show(shown, elapsed: now - start) }
  }

  /// Ends the display; later updates change nothing.
  func finish() {
    let first = state.withLock { state in
      defer { state.done = true }
      return !state.done
    }
    if first, style == .bar { console.clearBar() }
  }

  private func show(_ fraction: Double, elapsed: Duration) {
    let percent = Int((fraction * 100).rounded(.down))
    let left = Self.secondsLeft(fraction: fraction, elapsed: elapsed)
    switch style {
    case .none: break
    case .bar: console.show(bar: Self.bar(task, percent: percent, left: left))
    case .plain, .json:
      let line = LogLine(
        level: "progress",
        message: "\(task): \(percent) %" + (left.map { ", \(Self.clock($0)) left" } ?? ""),
        task: task, percent: percent, secondsLeft: left)
      console.say(progress: line, asJSON: style == .json)
    }
  }

  /// Whole seconds that the rest takes at the mean rate so far; nil before there is one worth telling.
  package static func secondsLeft(fraction: Double, elapsed: Duration) -> Int? {
    let seconds = elapsed / .seconds(1)
    guard fraction > 0.01, fraction < 1, seconds > 1 else { return nil }
    return Int((seconds * (1 - fraction) / fraction).rounded(.up))
  }

  /// A bar of 30 columns, with what is done in percent and what time is left in seconds.
  package static func bar(_ task: String, percent: Int, left: Int?) -> String {
    let full = percent * 30 / 100
    let drawn = String(repeating: "=", count: full) + String(repeating: " ", count: 30 - full)
    let number = String(repeating: " ", count: max(0, 3 - "\(percent)".count)) + "\(percent)"
    return "\(task) [\(drawn)] \(number) %" + (left.map { "  \(clock($0)) left" } ?? "")
  }

  /// Seconds as `m:ss` or `h:mm:ss`.
  package static func clock(_ seconds: Int) -> String {
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60)
    return hours > 0
      ? "\(hours):\(two(minutes)):\(two(seconds % 60))" : "\(minutes):\(two(seconds % 60))"
  }
}
