import Foundation
import Imaging
import Testing

/// Commands on whole images where address space is short: they work, or say so and end with 75.
@Suite struct MemoryLimitTests {
  @Test(arguments: [
    "inspect map.nii.gz", "conform map.nii.gz -o out.nii.gz --grid 256 256 256",
    "conform --labels map.nii.gz -o out.nii.gz --grid 256 256 256",
    "evaluate map.nii.gz map.nii.gz",
  ])
  func tooLittleMemoryIsNoCrash(command: String) throws {
    try Scratch.use { folder in
      let grid = Grid(extents: SIMD3(repeating: 256), affine: .identity)
      // A sixteenth of the slices are background, the rest one structure.
      let map = Volume(
        grid: grid, voxels: (0..<grid.count).map { Int32($0 >> 20 == 0 ? 0 : 1) })
      try ImageWriter.write(labels: map, like: nil, to: folder + "/map.nii.gz", description: "test")
      var refusals = 0
      // KiB; what it takes to start is 320 MiB, and the largest of the commands takes 300 MiB more.
      for limit in stride(from: 340_000, through: 660_000, by: 40_000) {
        let result = try Program.shell(
          "cd '\(folder)'; ulimit -v \(limit); segpipe \(command) --threads 2 -q")
        #expect([0, 75].contains(result.status), "\(limit): \(result.status), \(result.errors)")
        if result.status == 75 {
          refusals += 1
          let words = result.output + result.errors
          #expect(words.contains("map.nii.gz") && words.contains("no memory for "), "\(words)")
        }
      }
      #expect(refusals > 0)
    }
  }

  @Test func aGridBeyondMemoryIsRefusedBeforeAnyWork() throws {
    try Scratch.use { folder in
      let grid = Grid(extents: SIMD3(12, 12, 12), affine: .identity)
      let map = Volume<Int32>(grid: grid, voxels: (0..<grid.count).map { Int32($0 % 3) })
      try ImageWriter.write(labels: map, like: nil, to: folder + "/l.nii", description: "test")
      let result = try Program.shell(
        """
        cd '\(folder)'; ulimit -v 4000000
        segpipe conform --labels l.nii -o big.nii.gz --grid 4096 4096 4096
        """)
      #expect(result.status == 75)
      #expect(result.errors.contains("l.nii: no memory for 274877906944 bytes"), "\(result.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder + "/big.nii.gz"))
    }
  }
}
