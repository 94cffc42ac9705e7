import Files
import Foundation
import Testing

@testable import Anatomy

@Suite struct TrainingFolderTests {
  @Test func whatATrainingLeftIsClearedAndNothingElse() throws {
    let scratch = try Scratch()
    let folder = TrainingFolder.prior(scratch.folder)
    try FileManager.default.createDirectory(
      atPath: folder.checkpoints.path, withIntermediateDirectories: true)
    let own = [folder.log, folder.weights, folder.curve, folder.checkpoints.file(of: 7)]
    let others = [scratch.path("encoder.safetensors"), folder.checkpoints.path + "/notes.txt"]
    for file in own + others { try AtomicFile.write([1], to: file) }
    folder.clear()
    #expect(!own.contains { FileManager.default.fileExists(atPath: $0) })
    #expect(others.allSatisfy { FileManager.default.fileExists(atPath: $0) })
  }
}
