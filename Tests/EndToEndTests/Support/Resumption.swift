import Foundation
import Glibc
import Testing

/// A training that is killed with its first checkpoint written.
enum Resumption {
  /// Run again, it ends with the bytes of one that was not killed, its log too; another seed gives other weights.
  ///
  /// `command` is the command line that trains into a folder, `weights` the file of weights there.
  ///
  /// - Returns: what was told of the training that was not killed.
  static func check(
    of weights: String, in scratch: String, _ command: (_ folder: String) -> [String]
  ) throws -> String {
    let (whole, killed) = (scratch + "/whole", scratch + "/killed")
    let first = try Program.run(command(whole))
    #expect(first.status == 0, "\(first.errors)")
    for file in ["output", "errors"] {
      _ = FileManager.default.createFile(atPath: killed + "-" + file, contents: nil)
    }
    let process = try Program.start(
      try Program.path(), command(killed), [:], [killed + "-output", killed + "-errors"])
    for _ in 0..<30_000
    where process.isRunning && !FileManager.default.fileExists(atPath: killed + "/checkpoints") {
      usleep(1000)
    }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    let second = try Program.run(command(killed))
    #expect(second.status == 0, "\(second.errors)")
    for name in [weights, "log.jsonl"] {
      #expect(try fileBytes(whole + "/" + name) == fileBytes(killed + "/" + name), "\(name)")
    }
    let other = try Program.run(command(killed) + ["--overwrite", "--seed", "2"])
    #expect(other.status == 0, "\(other.errors)")
    #expect(try fileBytes(whole + "/" + weights) != fileBytes(killed + "/" + weights))
    return first.errors
  }
}
