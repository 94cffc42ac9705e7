import ArgumentParser
import Files
import Foundation
import Reports
import Synchronization

/// How words are written.
enum LogFormat: String, CaseIterable, ExpressibleByArgument, Sendable {
  /// Lines for people.
  case text
  /// A JSON object a line, with `level` and `message`, and `hint` where there is one.
  case json
}

/// What is said to the person at the terminal while a command runs, on standard error, and the results
/// they asked for, on standard output.
final class Console: Sendable {
  enum Verbosity: Int, Comparable, Sendable {
    case quiet, normal, detailed

    static func < (a: Verbosity, b: Verbosity) -> Bool { a.rawValue < b.rawValue }
  }

  let verbosity: Verbosity
  private let format: LogFormat
  /// Keeps what is said.
  private let log: LogFile?
  private let progressStyle: ProgressStyle
  private let colored: Bool
  /// The bar that stands on the terminal's last line, to be cleared before other words.
  private let bar = Mutex<String>("")

  init(
    verbosity: Verbosity = .normal, progress: ProgressStyle? = nil, format: LogFormat = .text,
    log: LogFile? = nil
  ) {
    let isTerminal = isatty(STDERR_FILENO) == 1
    let environment = ProcessInfo.processInfo.environment
    let dumb = environment["TERM"] == "dumb"
    self.verbosity = verbosity
    (self.format, self.log) = (format, log)
    progressStyle =
      progress
      ?? (verbosity == .quiet
        ? .none : format == .json ? .json : isTerminal && !dumb ? .bar : .plain)
    colored = Self.wantsColor(isTerminal: isTerminal, environment)
    keep(LogFile.firstLine)
  }

  /// no-color.org and bixense.com/clicolors.
  static func wantsColor(isTerminal: Bool, _ environment: [String: String]) -> Bool {
    if !(environment["NO_COLOR"] ?? "").isEmpty { return false }
    if let forced = environment["CLICOLOR_FORCE"], !forced.isEmpty, forced != "0" { return true }
    return isTerminal && environment["TERM"] != "dumb"
  }

  /// Asked-for results, ending in a newline.
  ///
  /// - Throws: `OutputError`.
  func output(_ text: String) throws {
    clearBar()
    try StandardStreams.output(text.hasSuffix("\n") ? text : text + "\n")
  }

  /// Something the person may want to know; with `--quiet` only the log has it.
  func note(_ text: String) { say(LogLine(message: text), isShown: verbosity >= .normal) }

  /// Something only `-v` asks for.
  func detail(_ text: String) {
    if verbosity >= .detailed { say(LogLine(level: "detail", message: text)) }
  }

  /// Something that may be wrong; also said with `--quiet`.
  func warn(_ text: String) {
    say(LogLine(level: "warning", message: text), as: warning(text))
  }

  private func warning(_ text: String) -> String { "segpipe: \(painted("warning:", 33)) \(text)" }

  /// What went wrong and what to do about it.
  func report(_ diagnosis: Diagnosis) {
    let hint = diagnosis.hint.map { "\n  hint: " + $0 } ?? ""
    say(
      LogLine(level: "error", message: diagnosis.message, hint: diagnosis.hint),
      as: "segpipe: \(painted("error:", 31)) \(diagnosis.message)\(hint)")
  }

  /// Something that is said in any case.
  func say(_ text: String) { say(LogLine(message: text)) }

  /// How far a task has come, in words or as an object.
  func say(progress words: LogLine, asJSON: Bool) {
    say(words, as: asJSON ? Self.json(words) : words.message)
  }

  /// `text` is what people read instead of the bare message.
  private func say(_ words: LogLine, as text: String? = nil, isShown: Bool = true) {
    if isShown { line(format == .json ? Self.json(words) : text ?? words.message) }
    keep(words)
  }

  private func keep(_ words: LogLine) {
    if let error = log?.add(words) {
      let lost = LogLine(level: "warning", message: Diagnosis(of: error).message)
      line(format == .json ? Self.json(lost) : warning(lost.message))
    }
  }

  /// An object on one line, keys in order.
  static func json(_ value: some Encodable) -> String {
    (try? JSONBytes.text(value)) ?? "{}"
  }

  /// Progress of a task whose length is known.
  func progress(_ task: String) -> Progress {
    Progress(task, style: progressStyle, console: self)
  }

  private func painted(_ text: String, _ color: Int) -> String {
    colored ? "\u{1B}[\(color);1m\(text)\u{1B}[0m" : text
  }

  /// A line as it stands, above the bar if there is one.
  func line(_ text: String) {
    bar.withLock { bar in
      if bar.isEmpty {
        StandardStreams.say(text + "\n")
      } else {
        StandardStreams.say("\r\u{1B}[K\(text)\n\(bar)")
      }
    }
  }

  /// Draws the bar over the one before it.
  func show(bar text: String) {
    bar.withLock { bar in
      bar = text
      StandardStreams.say("\r\u{1B}[K" + text)
    }
  }

  func clearBar() {
    bar.withLock { bar in
      if !bar.isEmpty { StandardStreams.say("\r\u{1B}[K") }
      bar = ""
    }
  }
}
