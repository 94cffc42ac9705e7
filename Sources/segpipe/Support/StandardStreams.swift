import Foundation
import Synchronization

/// Standard output and standard error, written with the system's own calls so that a full disk, a closed
/// reader and a missing stream are noticed.
enum StandardStreams {
  private static let turn = Mutex<Void>(())

  /// Makes writing to them safe; called once, before any file is opened.
  ///
  /// A closed reader or a file-size limit gives an error instead of ending the process. A stream that the
  /// parent closed is tied to /dev/null, lest a file opened later takes its number and gets our words.
  static func prepare() {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    // Output to a stream tied to /dev/null for reading fails, and so is reported; silence on standard
    // error is nobody's loss.
    for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO]
    where fcntl(stream, F_GETFD) == -1 {
      let mode = stream == STDERR_FILENO ? O_WRONLY : O_RDONLY
      let opened = open("/dev/null", mode)
      if opened >= 0, opened != stream {
        dup2(opened, stream)
        close(opened)
      }
    }
  }

  /// Writes asked-for results.
  ///
  /// - Throws: `OutputError`.
  static func output(_ text: String) throws {
    if let code = write(text, to: STDOUT_FILENO) {
      throw code == EPIPE ? OutputError.readerLeft : OutputError.failed(code)
    }
  }

  /// Writes words to the person at the terminal; what cannot be written is dropped.
  static func say(_ text: String) {
    _ = write(text, to: STDERR_FILENO)
  }

  /// Nil, or the error number.
  private static func write(_ text: String, to stream: Int32) -> Int32? {
    turn.withLock { _ in
      var bytes = Array(text.utf8)[...]
      while !bytes.isEmpty {
        let written = bytes.withUnsafeBytes { Foundation.write(stream, $0.baseAddress, $0.count) }
        if written > 0 {
          bytes = bytes.dropFirst(written)
        } else if written < 0, errno != EINTR {
          return errno
        }
      }
      return nil
    }
  }
}

/// Why asked-for results could not be written to standard output.
enum OutputError: Error, Equatable {
  /// The program that reads our output has ended, as `head` does: nothing to tell anyone.
  case readerLeft
  /// The system's error number.
  case failed(Int32)
}
