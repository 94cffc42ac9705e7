import Foundation
import TestSupport
import Testing

@testable import Imaging

/// Every header field through its extremes: read, or refused with a reason; never a crash, and
/// never an allocation beyond a small multiple of the file's size.
@Suite struct MutationTests {
  private static let extremes: [Double] = [
    0, 1, -1, -.greatestFiniteMagnitude, .greatestFiniteMagnitude, .nan, .infinity, -.infinity,
    2, 7, 8, 255, 348, 540, 32767, -32768, 2_147_483_647, 1e-30, 0.5,
  ]

  @Test(arguments: SampleImage.Version.allCases)
  func everyField(version: SampleImage.Version) throws {
    let scratch = try Scratch()
    var random = SeededRandom()
    let before = residentPeak()
    var accepted = 0
    var refused = 0
    for bigEndian in [false, true] {
      for field in HeaderField.all {
        let drawn = (0..<3).map { _ in
          Double(bitPattern: UInt64.random(in: .min ... .max, using: &random))
        }
        for value in Self.extremes + drawn {
          var sample = SampleImage(.int16, version, bigEndian: bigEndian)
          sample.set(field.name, value)
          // Three ways in: plain, compressed, and with every mending allowed.
          let path = try scratch.file("m.nii", sample.bytes)
          var lenient = ReadOptions()
          (lenient.force, lenient.repair, lenient.allowAnalyze) = (true, true, true)
          (lenient.volumeIndex, lenient.assumedOrientation) = (0, "RAS")
          let packed = try scratch.file("m.nii.gz", gzipped(sample.bytes))
          for (file, options) in [(path, ReadOptions()), (packed, ReadOptions()), (path, lenient)] {
            do {
              let image = try ImageReader.readScan(file, options)
              accepted += 1
              let isSound =
                image.volume.voxels.count <= 4000
                && image.volume.grid.affine.rows.allSatisfy { $0.allSatisfy { $0.isFinite } }
              #expect(isSound, "\(field.name) = \(value), seed \(random.seed)")
            } catch let error as ImagingError {
              refused += 1
              switch error {
              case .header(_, let findings), .content(_, let findings):
                #expect(!findings.errors.isEmpty, "\(field.name) = \(value), seed \(random.seed)")
              case .shortData, .tooLarge, .foreign, .noRoomForHeader, .missingPart: break
              default: Issue.record("\(field.name) = \(value), seed \(random.seed): \(error)")
              }
            }
          }
        }
      }
    }
    #expect(accepted > 500)
    #expect(refused > 500)
    // Other suites run beside this one; 400 MB is far below what one believed extent would take.
    #expect(residentPeak() - before < 400 << 20)
  }

  @Test func randomBytesInHeader() throws {
    let scratch = try Scratch()
    var random = SeededRandom()
    for round in 0..<2000 {
      var sample = SampleImage(.uint8, round % 2 == 0 ? .nifti1 : .nifti2)
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        sample.setByte(
          Int.random(in: 12..<sample.header.count - 8, using: &random),
          UInt8.random(in: .min ... .max, using: &random))
      }
      let path = try scratch.file("r.nii", sample.bytes)
      for read in [
        { _ = try ImageReader.readScan(path) }, { _ = try ImageReader.readLabels(path) },
      ] {
        do { try read() } catch is ImagingError {
        } catch {
          Issue.record("round \(round), seed \(random.seed): \(error)")
        }
      }
    }
  }

  /// Largest resident size of this process so far, in bytes.
  private func residentPeak() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
  }
}
