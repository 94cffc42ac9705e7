import Foundation
import Testing

/// The built program, run as a person runs it.
struct Program {
  struct Result {
    let status: Int32
    let output: String
    let errors: String
  }

  /// The program's file, beside the test bundle's.
  static func path() throws -> String {
    let bundle = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let path = URL(fileURLWithPath: bundle).deletingLastPathComponent()
      .appendingPathComponent("segpipe").path
    try #require(FileManager.default.isExecutableFile(atPath: path), "\(path) is not built")
    return path
  }

  /// Another program, where it is installed.
  static func find(_ program: String) -> String? {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    return (path.split(separator: ":").map(String.init) + ["/usr/sbin"])
      .map { $0 + "/" + program }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// Runs it to its end. Words that the terminal or the shell sets are left out of its environment.
  static func run(_ arguments: String..., environment: [String: String] = [:]) throws -> Result {
    try run(try path(), arguments, environment)
  }

  /// The same for arguments in a list.
  static func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Result {
    try run(try path(), arguments, environment)
  }

  /// Runs a shell line in which `segpipe` is the program.
  static func shell(_ line: String, environment: [String: String] = [:]) throws -> Result {
    let function = "segpipe() { \"\(try path())\" \"$@\"; }; "
    return try run("/bin/bash", ["-c", function + line], environment)
  }

  /// Runs another program in the same way.
  static func run(
    _ executable: String, _ arguments: [String], _ environment: [String: String] = [:]
  ) throws -> Result {
    try Scratch.use { folder in
      let files = ["output", "errors"].map { folder + "/" + $0 }
      for file in files { _ = FileManager.default.createFile(atPath: file, contents: nil) }
      let process = try start(executable, arguments, environment, files)
      process.waitUntilExit()
      let texts = try files.map {
        String(decoding: try Data(contentsOf: URL(fileURLWithPath: $0)), as: UTF8.self)
      }
      return Result(status: process.terminationStatus, output: texts[0], errors: texts[1])
    }
  }

  /// Starts a process whose standard output and error go to two files.
  static func start(
    _ executable: String, _ arguments: [String], _ environment: [String: String],
    _ files: [String]
  ) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    var inherited = ["PATH": "/usr/bin:/bin"]
    inherited["SEGPIPE_ATLASES"] = ProcessInfo.processInfo.environment["SEGPIPE_ATLASES"]
    process.environment = inherited.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: files[0]))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: files[1]))
    try process.run()
    return process
  }
}

/// Disks of a size that a test chooses.
enum SmallDisk {
  /// Whether one can be mounted here: only root may, and not in every container.
  static let isPossible: Bool = {
    let result = try? Scratch.use { folder in
      try Program.run(
        "/bin/bash", ["-c", "mount -t tmpfs -o size=1m none '\(folder)' && umount '\(folder)'"])
    }
    return result?.status == 0
  }()
}

/// Folders that are gone after a test.
enum Scratch {
  static func use<Value>(_ body: (String) throws -> Value) throws -> Value {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("segpipe-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder.path)
  }
}
