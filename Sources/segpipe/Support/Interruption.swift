import Files
import Foundation
import Imaging
import Pipelines
import Synchronization

/// Ends the program cleanly when it is asked to: SIGINT, SIGTERM, SIGHUP.
///
/// The signal handler only passes the signal's number through a pipe; a thread of its own, which no busy
/// pool can starve, removes what a killed run must not leave and ends the process.
enum Interruption {
  private static let writeEnd = Atomic<Int32>(-1)
  private static let isCooperative = Atomic<Bool>(false)
  private static let requested = Atomic<Int32>(0)
  private static let teller = Mutex<@Sendable (String) -> Void> {
    StandardStreams.say("\($0)\n")
  }

  /// The signal that asked a cooperative program to stop; nil if none did.
  static var signal: Int32? {
    let number = requested.load(ordering: .sequentiallyConsistent)
    return number == 0 ? nil : number
  }

  /// From now on the first signal is only noted, for a program that looks at `signal` between its steps
  /// and ends by itself; the second ends it at once, but for one on the heels of the first: `timeout` sends its signal
  /// to the program and to its process group.
  static func cooperate() { isCooperative.store(true, ordering: .sequentiallyConsistent) }

  /// From now on signals end the program again. One that was noted stays so: who cooperated ends by itself.
  static func endCooperation() { isCooperative.store(false, ordering: .sequentiallyConsistent) }

  /// From now on words about signals go to `body`, which is called from a thread of its own.
  static func tell(_ body: @escaping @Sendable (String) -> Void) {
    teller.withLock { $0 = body }
  }

  /// Starts listening. Signals that the parent asked to ignore (nohup) stay ignored.
  static func listen() {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return }
    let readEnd = ends[0]
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    writeEnd.store(ends[1], ordering: .sequentiallyConsistent)
    for number in [SIGINT, SIGTERM, SIGHUP] { handle(number) }
    let thread = Thread { wait(on: readEnd) }
    thread.name = "interruption"
    thread.start()
  }

  private static func handle(_ number: Int32) {
    var old = sigaction()
    sigaction(number, nil, &old)
    // SIG_IGN is the address 1; function pointers have no equality of their own.
    if unsafeBitCast(old.__sigaction_handler.sa_handler, to: Int.self) == 1 { return }
    var action = sigaction()
    action.sa_flags = SA_RESTART
    action.__sigaction_handler.sa_handler = { number in
      var byte = UInt8(truncatingIfNeeded: number)
      _ = write(Interruption.writeEnd.load(ordering: .relaxed), &byte, 1)
    }
    sigaction(number, &action, nil)
  }

  private static func wait(on pipe: Int32) {
    var number: UInt8 = 0
    let clock = ContinuousClock()
    var askedAt: ContinuousClock.Instant?
    while true {
      let count = read(pipe, &number, 1)
      if count == 1 {
        guard isCooperative.load(ordering: .sequentiallyConsistent) else { break }
        if let askedAt {
          if clock.now - askedAt < .seconds(1) { continue }
          break
        }
        askedAt = clock.now
        requested.store(Int32(number), ordering: .sequentiallyConsistent)
        teller.withLock { $0 }("segpipe: asked to stop; finishing this step")
        continue
      }
      if count == 0 || errno != EINTR { return }
    }
    teller.withLock { $0 }("segpipe: stopped by a signal; no partial output is left")
    StageLock.releaseAll { TemporaryFiles.removeAll { _exit(128 + Int32(number)) } }
  }
}
